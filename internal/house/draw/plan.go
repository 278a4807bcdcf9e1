package main

// A place is where a room stands. A room is a package with all below its folder, but for what has a room of its own.
type place struct {
	folder string
	title  string
	does   string // in a few words
	class  string // what it is painted as
	row    int    // from the top
	column float64
	width  float64 // in columns
}

// plan is the house. A package that has no place in it, and is not in small or testing, is an error.
var plan = []place{
	{folder: "cmd/fcgi", title: "cmd/fcgi", does: "the tool", class: "outer", row: 0, column: 3.9, width: 2.25},

	{folder: "fcgi", title: "fcgi", does: "drop-in for net/http/fcgi", class: "outer", row: 1, column: 0, width: 1.25},
	{folder: "fastcgitest", title: "fastcgitest", does: "unit tests of handlers", class: "outer", row: 1, column: 1.25, width: 1.25},
	{folder: "examples", title: "examples", does: "to run and to copy", class: "outer", row: 1, column: 2.5, width: 1.25},
	{folder: "gateway", title: "gateway", does: "HTTP in front of FastCGI", class: "outer", row: 1, column: 3.9, width: 1.25},

	{folder: ".", title: "fastcgi: the root", does: "Server, Handler, AsyncHandler, HTTP", class: "root", row: 2, column: 0, width: 3.5},
	{folder: "client", title: "client", does: "talks to applications", class: "outer", row: 2, column: 4.3, width: 1.05},

	{folder: "internal/plaincgi", title: "plaincgi", does: "started as a CGI", class: "inner", row: 3, column: 0.5, width: 1},
	{folder: "internal/nethttp", title: "nethttp", does: "serves an http.Handler", class: "engine", row: 3, column: 2.8, width: 1.2},

	{folder: "internal/epoll", title: "epoll", does: "driver: Linux, loops", class: "driver", row: 4, column: 0, width: 1},
	{folder: "internal/goroutine", title: "goroutine", does: "driver: any listener", class: "driver", row: 4, column: 1, width: 1},
	{folder: "internal/engine", title: "engine", does: "connections and exchanges", class: "engine", row: 4, column: 2, width: 1.25},
	{folder: "internal/cgi", title: "cgi", does: "variables and headers", class: "inner", row: 4, column: 3.25, width: 1},
	{folder: "internal/supervise", title: "supervise", does: "keeps processes running", class: "inner", row: 4, column: 5, width: 1.15},

	{folder: "internal/listen", title: "listen", does: "sockets to accept on", class: "inner", row: 5, column: 0, width: 1},
	{folder: "internal/driver", title: "driver", does: "the seam: Conn and Socket", class: "driver", row: 5, column: 1, width: 1.5},

	{folder: "protocol", title: "protocol", does: "records, pairs, the state of a connection: bytes in, events out; no I/O", class: "protocol", row: 6, column: 0, width: 6.15},
}

// small are the rooms that others use like tools: they are named in the rooms that use them.
var small = []string{"internal/address", "internal/certs", "internal/limit", "internal/logtext", "internal/pool", "internal/spool", "internal/tlsconn"}

// testing are the folders that programs do not use.
var testing = []string{
	"bench", "interop", "internal/address/addresstest", "internal/browser", "internal/certs/certstest", "internal/driver/drivertest",
	"internal/fakeapp", "internal/fpm", "internal/house", "internal/leak", "internal/programs",
	"internal/required",
}
