// Package fcgi is a drop-in for net/http/fcgi: a program changes the import and
// nothing else.
//
//	import "github.com/simple-fastcgi/fastcgi/fcgi"
//
//	func main() {
//		log.Fatal(fcgi.Serve(nil, http.FileServer(http.Dir("."))))
//	}
//
// It sits on package fastcgi, which has what this interface leaves no room for:
// settings, graceful shutdown, the roles beside Responder. Programs move on to it
// when they want that; fastcgi.FromContext works here already. What changes with
// the import, and what does not, is in docs/migrating.md.
package fcgi
