// Package addresstest has the addresses that every end must take alike or refuse alike, as a table for the tests of
// package address and of those who listen and dial.
package addresstest

// A Good address, and what it means.
type Good struct {
	Addr          string
	Network, Name string // for package net; empty where only listening makes sense
	Full          string // with its scheme
}

// Taken are addresses in every form that there is.
var Taken = []Good{
	{"", "", "", ""},
	{"unix:/run/app.sock", "unix", "/run/app.sock", "unix:/run/app.sock"},
	{"/run/app.sock", "unix", "/run/app.sock", "unix:/run/app.sock"},
	{"unix:app.sock", "unix", "app.sock", "unix:app.sock"},
	{"unix:./a:b", "unix", "./a:b", "unix:./a:b"},
	{"unix:///run/app.sock", "unix", "///run/app.sock", "unix:///run/app.sock"},
	{`unix:C:\run\app.sock`, "unix", `C:\run\app.sock`, `unix:C:\run\app.sock`},
	{"unix:@app", "unix", "@app", "unix:@app"},
	{"tcp:127.0.0.1:9000", "tcp", "127.0.0.1:9000", "tcp:127.0.0.1:9000"},
	{"tcp:localhost:9000", "tcp", "localhost:9000", "tcp:localhost:9000"},
	{"tcp:[::1]:9000", "tcp", "[::1]:9000", "tcp:[::1]:9000"},
	{"tcp::9000", "tcp", ":9000", "tcp::9000"},
	{"tcp4:127.0.0.1:9000", "tcp4", "127.0.0.1:9000", "tcp4:127.0.0.1:9000"},
	{"tcp6:[::1]:9000", "tcp6", "[::1]:9000", "tcp6:[::1]:9000"},
	{"127.0.0.1:9000", "tcp", "127.0.0.1:9000", "tcp:127.0.0.1:9000"},
	{"localhost:9000", "tcp", "localhost:9000", "tcp:localhost:9000"},
	{"app_1.example:http", "tcp", "app_1.example:http", "tcp:app_1.example:http"},
	{"[::1]:9000", "tcp", "[::1]:9000", "tcp:[::1]:9000"},
	{"[fe80::1%eth0]:9000", "tcp", "[fe80::1%eth0]:9000", "tcp:[fe80::1%eth0]:9000"},
	{":9000", "tcp", ":9000", "tcp::9000"},
	{":65535", "tcp", ":65535", "tcp::65535"},
	{"tcp:tls:9000", "tcp", "tls:9000", "tcp:tls:9000"},
	{"tls:example.org:9000", "tcp", "example.org:9000", "tls:example.org:9000"},
	{"tls:[::1]:9000", "tcp", "[::1]:9000", "tls:[::1]:9000"},
	{"tls::9000", "tcp", ":9000", "tls::9000"},
	{"fd:0", "", "", "fd:0"},
	{"fd:3", "", "", "fd:3"},
}

// A Bad address, and a part of the error that says why.
type Bad struct{ Addr, Says string }

// Refused are mistakes, each with a part of the error that it must lead to.
var Refused = []Bad{
	{"unix:", "unix:/path/to/socket"},
	{"unix:@", "unix:/path/to/socket"},
	{"unix:/run/a\x00b", "NUL"},
	{"/run/a\x00b", "NUL"},
	{"unix:@a\x00b", "NUL"},
	{"@app", `"unix:@app"`},
	{"./socket", `"unix:./socket"`},
	{"app.sock/", `"unix:app.sock/"`},
	{`C:\run\app.sock`, `"unix:C:\\run\\app.sock"`},
	{"UNIX:/run/app.sock", `"unix:/run/app.sock"`},
	{"Tcp:127.0.0.1:9000", `"tcp:127.0.0.1:9000"`},
	{"fd:", "write fd:N"},
	{"fd:-1", "write fd:N"},
	{"fd:+3", "write fd:N"},
	{"fd:zero", "write fd:N"},
	{"fd:2147483648", "write fd:N"},
	{"fd:1", "for output and errors"},
	{"fd:2", "for output and errors"},
	{"tcp:", "host and port are missing"},
	{"tcp:127.0.0.1", "the port is missing"},
	{"localhost", "the port is missing"},
	{"localhost:", "the port is missing"},
	{"[::1]", "missing port"},
	{":", "the port is missing"},
	{"9000", "a port alone begins with a colon"},
	{"tcp:9000", "a port alone begins with a colon"},
	{"::1:9000", "[::1]:9000"},
	{"beef::1:9000", "[::1]:9000"},
	{"127.0.0.1:65536", "65535"},
	{"127.0.0.1:70000", "65535"},
	{"127.0.0.1:-1", `no port "-1"`},
	{"127.0.0.1:9000 ", `no port "9000 "`},
	{" 127.0.0.1:9000", "no host"},
	{"[a/b]:9000", "unix:"},
	{"tcp:a/b:9000", "no host"},
	{"http://127.0.0.1:9000", "it is a URL"},
	{"tcp://127.0.0.1:9000", `"tcp:127.0.0.1:9000"`},
	{"udp:127.0.0.1:9000", "no address begins so"},
	{"tls:", "host and port are missing"},
	{"tls:9000", "a port alone begins with a colon"},
	{"tls:example.org", "the port is missing"},
	{"tls://example.org:9000", `"tls:example.org:9000"`},
	{"TLS:example.org:9000", `"tls:example.org:9000"`},
	{"tls:/run/app.sock", "the port is missing"},
}
