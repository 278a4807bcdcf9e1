package caddyfcgi

import (
	"encoding/json"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	// Its directive php_fastcgi is what php_fcgi stands on.
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy/fastcgi"
)

const phpDirective = "php_fcgi"

func registerDirective() {
	httpcaddyfile.RegisterDirective(phpDirective, parsePHP)
	httpcaddyfile.RegisterDirectiveOrder(phpDirective, httpcaddyfile.After, "php_fastcgi")
}

// parsePHP makes of php_fcgi what Caddy makes of php_fastcgi, with this transport in
// place of Caddy's. It takes whatever php_fastcgi takes, and every subdirective of
// the transport.
func parsePHP(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	h.Next()
	t := new(Transport)
	theirs, err := t.takeOptions(h.NewFromNextSegment())
	if err != nil {
		return nil, err
	}
	routes, err := httpcaddyfile.ParseSegmentAsSubroute(h.WithDispenser(caddyfile.NewDispenser(theirs)))
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(routes)
	if err != nil {
		return nil, err
	}
	if text, err = t.replace(text); err != nil {
		return nil, err
	}
	var ours caddyhttp.Subroute
	if err := json.Unmarshal(text, &ours); err != nil {
		return nil, err
	}
	return []httpcaddyfile.ConfigValue{{Class: "route", Value: ours}}, nil
}

// takeOptions takes the transport's subdirectives out of a php_fcgi, and returns the
// block of a php_fastcgi with the others. split is for both.
func (t *Transport) takeOptions(d *caddyfile.Dispenser) ([]caddyfile.Token, error) {
	options := t.options()
	delete(options, "split")
	for d.Next() {
		for d.NextBlock(0) {
			set := options[d.Val()]
			if d.Nesting() != 1 || set == nil {
				continue
			}
			name, args := d.Val(), d.RemainingArgs()
			if err := set(args); err != nil {
				return nil, d.Errf("%s: %v", name, err)
			}
			d.DeleteN(len(args) + 1)
		}
	}
	d.Reset()
	var tokens []caddyfile.Token
	for d.Next() {
		tokens = append(tokens, d.Token())
	}
	tokens[0].Text = "php_fastcgi"
	outer, open, end := tokens[0], tokens[0], tokens[len(tokens)-1]
	outer.Text, open.Text, end.Text = "route", "{", "}"
	// Each on a line of its own, which is how a Caddyfile is read.
	outer.Line--
	open.Line--
	end.Line++
	return append(append([]caddyfile.Token{outer, open}, tokens...), end), nil
}

// replace puts this transport in place of Caddy's own, in the configuration of a
// subroute.
func (t *Transport) replace(text []byte) ([]byte, error) {
	var handler map[string]json.RawMessage
	if err := json.Unmarshal(text, &handler); err != nil {
		return nil, err
	}
	if proxied, ok := handler["transport"]; ok {
		var theirs struct {
			Protocol  string   `json:"protocol"`
			SplitPath []string `json:"split_path"`
		}
		if err := json.Unmarshal(proxied, &theirs); err != nil {
			return nil, err
		}
		if theirs.Protocol == "fastcgi" {
			t.SplitPath = theirs.SplitPath
			handler["transport"] = caddyconfig.JSONModuleObject(t, "protocol", "fcgi", nil)
		}
		return json.Marshal(handler)
	}
	if routes, ok := handler["routes"]; ok {
		var err error
		if handler["routes"], err = t.replaceRoutes(routes); err != nil {
			return nil, err
		}
	}
	return json.Marshal(handler)
}

func (t *Transport) replaceRoutes(text []byte) ([]byte, error) {
	var routes []map[string]json.RawMessage
	if err := json.Unmarshal(text, &routes); err != nil {
		return nil, err
	}
	for _, route := range routes {
		var handlers []json.RawMessage
		if err := json.Unmarshal(route["handle"], &handlers); err != nil {
			return nil, err
		}
		for i := range handlers {
			var err error
			if handlers[i], err = t.replace(handlers[i]); err != nil {
				return nil, err
			}
		}
		var err error
		if route["handle"], err = json.Marshal(handlers); err != nil {
			return nil, err
		}
	}
	return json.Marshal(routes)
}
