package main

import "github.com/simple-fastcgi/fastcgi"

// environment answers with what the web server says about the request. It is a
// Handler: a function that has a goroutine and may wait as it likes.
func environment(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	// It fails when the web server is gone, and there is nobody left to tell.
	_ = fastcgi.SendResponse(w, 200, "application/json", r.Params)
}
