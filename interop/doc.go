// Package interop tests applications behind real web servers, with the very configurations that the pages in docs print,
// and describes the results: a Cell for each scenario, web server, setup and kind of application.
//
// scenarios_test.go lists what every web server is put through: the rows of the matrix. nginx_test.go says how nginx is
// run and in which setups: its columns. To add a web server, write its page and its configurations, and such a file for
// it: a webServer, and a test that calls its method matrix.
//
// What a web server cannot do is one of its limits, with the reason; nothing is skipped without one. Each is checked:
// neither may the probe pass the scenario there, nor the peer, which is the standard library's net/http/fcgi.
//
// A web server that is not installed skips its tests, naming the package; with FASTCGI_REQUIRE_SERVERS=1 it fails them.
package interop
