package protocol_test

import (
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// Refused counts the requests that were refused as they were begun, and says why the last one was.
func TestRefused(t *testing.T) {
	c := protocol.NewConn(protocol.Application, &protocol.Config{MaxRequests: 2, Roles: []protocol.Role{protocol.RoleResponder}})
	for i, step := range []struct {
		role protocol.Role
		want int
		last protocol.Status
	}{
		{protocol.RoleResponder, 0, protocol.StatusRequestComplete},
		{protocol.RoleFilter, 1, protocol.StatusUnknownRole},
		{protocol.RoleResponder, 1, protocol.StatusUnknownRole},
		{protocol.RoleResponder, 2, protocol.StatusOverloaded},
		{protocol.RoleResponder, 3, protocol.StatusOverloaded},
	} {
		begin := protocol.AppendBeginRequest(nil, uint16(i+1), protocol.BeginRequest{Role: step.role})
		if _, _, err := c.Next(begin); err != nil {
			t.Fatal(err)
		}
		if n, last := c.Refused(); n != step.want || last != step.last {
			t.Errorf("step %d: %d were refused, the last with %v", i, n, last)
		}
	}
	c.Reset(protocol.Application, nil)
	if n, last := c.Refused(); n != 0 || last != protocol.StatusRequestComplete {
		t.Errorf("after Reset %d are refused, the last with %v", n, last)
	}
}
