package gateway

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

var errNoVerdict = errors.New("the authorizer's response has no Status")

// authorize asks the authorizers (FastCGI 1.0 §6.3). It returns false if one of
// them denied, whose response the client then has.
func (x *exchange) authorize(t cgi.Target) (allowed bool, err error) {
	for _, c := range x.handler.Authorizers {
		allowed := false
		req := &client.Request{Role: protocol.RoleAuthorizer, Params: x.params(t, 0)}
		err := x.ask(x.newHeaderTimer(), c, req, func(a answer) (err error) {
			allowed, err = x.verdict(a)
			return err
		})
		if err != nil || !allowed {
			return false, err
		}
	}
	return true, nil
}

// verdict acts on one authorizer's response. CGI takes a missing Status for 200;
// a gateway that lets something pass wants to be told.
func (x *exchange) verdict(a answer) (allowed bool, err error) {
	switch a.Status {
	case 0:
		return false, errNoVerdict
	case http.StatusOK:
	default:
		return false, x.relay(a)
	}
	// Whether it ends well is part of what it says; what else it says is not.
	if _, err := io.CopyN(io.Discard, a.body, maxDiscard); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	x.granted = append(x.granted, a.variables()...)
	return true, nil
}

// variables returns what the fields Variable-NAME carry. Names of fields have no
// case; those of variables are in capitals.
func (a answer) variables() (params []client.Pair) {
	for _, field := range slices.Sorted(maps.Keys(a.Header)) {
		name, ok := strings.CutPrefix(field, "Variable-")
		if !ok || name == "" {
			continue
		}
		values := a.Header[field]
		params = append(params, client.Pair{Name: strings.ToUpper(name), Value: values[len(values)-1]})
	}
	return params
}
