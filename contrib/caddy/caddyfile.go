package caddyfcgi

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/dustin/go-humanize"
)

// options returns the subdirectives: what each does with its arguments.
func (t *Transport) options() map[string]func([]string) error {
	return map[string]func([]string) error{
		// Those of Caddy's own transport.
		"root":                 one(&t.Root),
		"split":                t.setSplit,
		"env":                  t.setEnv,
		"resolve_root_symlink": flag(&t.ResolveRootSymlink),
		"dial_timeout":         duration(&t.DialTimeout),
		"read_timeout":         duration(&t.ReadTimeout),
		"write_timeout":        duration(&t.WriteTimeout),
		"capture_stderr":       optional(&t.CaptureStderr),

		"response_header_timeout": duration(&t.ResponseHeaderTimeout),
		"keepalive":               t.setKeepAlive,
		"keepalive_idle_conns":    func(args []string) error { return number(&t.keep().MaxIdleConns)(args) },
		"keepalive_requests":      func(args []string) error { return number(&t.keep().MaxRequests)(args) },
		"max_conns":               number(&t.MaxConns),
		"multiplex":               one(&t.Multiplex),
		"max_active_per_conn":     number(&t.MaxActivePerConn),
		"collect_body":            flag(&t.CollectBody),
		"stream_body":             flag(&t.StreamBody),
		"spool_memory":            size(&t.SpoolMemory),
		"spool_limit":             size(&t.SpoolLimit),
		"spool_dir":               one(&t.SpoolDir),
		"no_upgrade":              flag(&t.NoUpgrade),
		"tls":                     func(args []string) error { t.tls(); return none(args) },
		"tls_ca":                  func(args []string) error { return one(&t.tls().CAFile)(args) },
		"tls_server_name":         func(args []string) error { return one(&t.tls().ServerName)(args) },
		"tls_client_auth":         t.setClientAuth,
	}
}

// UnmarshalCaddyfile reads
//
//	transport fcgi {
//		root <path>
//		split <endings...>
//		env <name> <value>
//		resolve_root_symlink
//		dial_timeout <duration>
//		read_timeout <duration>
//		write_timeout <duration>
//		response_header_timeout <duration>
//		capture_stderr [on|off]
//		keepalive [on|off|<duration>]
//		keepalive_idle_conns <number>
//		keepalive_requests <number>
//		max_conns <number>
//		multiplex off|on|ask
//		max_active_per_conn <number>
//		collect_body
//		stream_body
//		spool_memory <size>
//		spool_limit <size>
//		spool_dir <path>
//		no_upgrade
//		tls
//		tls_ca <file>
//		tls_client_auth <certificate file> <key file>
//		tls_server_name <name>
//	}
func (t *Transport) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the transport
	if d.NextArg() {
		return d.ArgErr()
	}
	options := t.options()
	for d.NextBlock(0) {
		name := d.Val()
		set := options[name]
		if set == nil {
			return d.Errf("unrecognized subdirective %s", name)
		}
		if err := set(d.RemainingArgs()); err != nil {
			return d.Errf("%s: %v", name, err)
		}
	}
	return nil
}

func (t *Transport) keep() *KeepAlive {
	if t.KeepAlive == nil {
		t.KeepAlive = new(KeepAlive)
	}
	return t.KeepAlive
}

func (t *Transport) tls() *TLS {
	if t.TLS == nil {
		t.TLS = new(TLS)
	}
	return t.TLS
}

func (t *Transport) setClientAuth(args []string) error {
	if len(args) != 2 {
		return errors.New("it takes the files of a certificate and of its key")
	}
	t.tls().CertFile, t.tls().KeyFile = args[0], args[1]
	return nil
}

func (t *Transport) setSplit(args []string) error {
	if len(args) == 0 {
		return errors.New("it takes one or more endings")
	}
	t.SplitPath = slices.Clone(args)
	return nil
}

func (t *Transport) setEnv(args []string) error {
	if len(args) != 2 {
		return errors.New("it takes a name and a value")
	}
	if t.EnvVars == nil {
		t.EnvVars = make(map[string]string)
	}
	t.EnvVars[args[0]] = args[1]
	return nil
}

// setKeepAlive takes on, off, or how long a connection is kept, which is on.
func (t *Transport) setKeepAlive(args []string) error {
	keep := t.keep()
	if err := optional(&keep.Enabled)(args); err == nil {
		return nil
	}
	enabled := true
	keep.Enabled = &enabled
	return duration(&keep.IdleTimeout)(args)
}

// What follows makes a function that sets one field, of the field.

func one(field *string) func([]string) error {
	return func(args []string) error {
		if len(args) != 1 {
			return errors.New("it takes one argument")
		}
		*field = args[0]
		return nil
	}
}

func flag(field *bool) func([]string) error {
	return func(args []string) error {
		*field = true
		return none(args)
	}
}

func none(args []string) error {
	if len(args) != 0 {
		return errors.New("it takes no argument")
	}
	return nil
}

// optional is for on and off, where no argument means on.
func optional(field **bool) func([]string) error {
	return func(args []string) error {
		on := len(args) == 0 || args[0] == "on"
		if len(args) > 1 || !on && args[0] != "off" {
			return errors.New("it takes on or off")
		}
		*field = &on
		return nil
	}
}

func duration(field *caddy.Duration) func([]string) error {
	return parsed(field, func(s string) (caddy.Duration, error) {
		d, err := caddy.ParseDuration(s)
		return caddy.Duration(d), err
	})
}

func number(field *int) func([]string) error { return parsed(field, strconv.Atoi) }

func size(field *int64) func([]string) error {
	return parsed(field, func(s string) (int64, error) {
		n, err := humanize.ParseBytes(s)
		return int64(n), err
	})
}

func parsed[T any](field *T, parse func(string) (T, error)) func([]string) error {
	return func(args []string) error {
		var text string
		if err := one(&text)(args); err != nil {
			return err
		}
		value, err := parse(text)
		if err != nil {
			return fmt.Errorf("bad value %q: %w", text, err)
		}
		*field = value
		return nil
	}
}

var _ caddyfile.Unmarshaler = (*Transport)(nil)
