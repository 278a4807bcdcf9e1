//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// nginxConf has one worker, with this directory for all its files. Its own
// answers are never short of anything, so that the application is what is measured.
const nginxConf = `daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log stderr warn;
%[5]s
events { worker_connections 1024; }
http {
	access_log off;
	client_body_temp_path %[1]s/nginx-body;
	proxy_temp_path %[1]s/nginx-proxy;
	fastcgi_temp_path %[1]s/nginx-fastcgi;
	uwsgi_temp_path %[1]s/nginx-uwsgi;
	scgi_temp_path %[1]s/nginx-scgi;
	upstream application {
		server unix:%[2]s;
		%[3]s
	}
	server {
		listen unix:%[1]s/nginx.sock backlog=1024;
		keepalive_requests 1000000000;
		location / {
			%[4]s
		}
	}
}
`

// behindNginx measures an application with nginx in front of it, beside the load
// on its processor.
func behindNginx(keep bool) func(*bench, work, *subject) (figures, error) {
	return func(b *bench, _ work, s *subject) (figures, error) {
		n, err := b.startNginx(s, keep)
		if err != nil {
			return figures{}, err
		}
		defer n.Stop()
		// nginx's connection to the load is kept in either case.
		l := b.load(s, shape{keep: true, share: 2})
		l.dialect, l.socket = webHTTP{}, n.Socket
		f, err := b.best(s, l.run)
		return f, n.Explain(err)
	}
}

func (b *bench) startNginx(s *subject, keep bool) (*harness.Process, error) {
	upstream := ""
	if keep {
		upstream = fmt.Sprintf("keepalive %d; keepalive_requests 1000000000;", b.conns)
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;"
	}
	conf := fmt.Sprintf(nginxConf, b.dir, s.server.Socket, upstream, passTo(s.dialect, keep), user)
	path := filepath.Join(b.dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	socket := filepath.Join(b.dir, "nginx.sock")
	return harness.StartProcess(context.Background(), b.cores.Load, socket,
		[]string{"nginx", "-e", "stderr", "-p", b.dir, "-c", path}, nil)
}

// passTo is how nginx passes requests on.
func passTo(d dialect, keep bool) string {
	switch _, isHTTP := d.(webHTTP); {
	case isHTTP && keep:
		return `proxy_pass http://application; proxy_http_version 1.1; proxy_set_header Connection "";`
	case isHTTP:
		return "proxy_pass http://application;"
	case keep:
		return "include /etc/nginx/fastcgi.conf; fastcgi_pass application; fastcgi_keep_conn on;"
	}
	return "include /etc/nginx/fastcgi.conf; fastcgi_pass application;"
}
