// Package interop tests applications behind real web servers, with the very configurations that the pages in docs print.
//
// It has tests only. scenarios_test.go lists what every web server is put through; nginx_test.go says how nginx is run
// and in which combinations. To add a web server, write its page and its configurations, and such a file for it:
// a webServer, and a test that runs the scenarios.
//
// A web server that is not installed skips its tests, naming the package; with FASTCGI_REQUIRE_SERVERS=1 it fails them.
package interop
