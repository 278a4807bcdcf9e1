// Package routers tests what docs/http.md says about mounting: each router there, as it is, below a path and behind a
// script that requests are rewritten to. It is a module of its own, so that no user of the library meets the routers.
package routers
