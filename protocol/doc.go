// Package protocol is FastCGI 1.0 without input or output: bytes in, events
// out; commands in, bytes out.
//
// It holds the records and name-value pairs (pure functions), the states of a
// request as tables, and [Conn], which follows one connection from either end.
// It imports nothing that touches a network, a clock or a lock, starts no
// goroutine and allocates nothing per record, so that servers, clients, tools
// and tests can all stand on it. Drivers move the bytes.
//
// A server's loop is short:
//
//	c := protocol.NewConn(protocol.Application, &protocol.Config{})
//	for len(input) > 0 {
//		var ev protocol.Event
//		ev, input, err = c.Next(input)
//		switch ev.Type {
//		case protocol.TypeBeginRequest: // ev.RequestID, ev.Role
//		case protocol.TypeParams: // ev.Data, until ev.End
//		case protocol.TypeStdin: // ev.Data, until ev.End
//		}
//	}
//	output = c.TakeReplies(output) // what the protocol itself had to answer
//	output, err = c.Send(output, protocol.TypeStdout, id, body)
//	output, err = c.EndRequest(output, id, protocol.EndRequest{})
//
// The specification is https://fastcgi-archives.github.io/FastCGI_Specification.html;
// comments name its sections as "§5.1".
package protocol
