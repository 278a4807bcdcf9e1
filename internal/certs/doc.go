// Package certs reads certificates from files, and reads them again when the files have changed, for both ends of a
// connection with TLS.
//
// It sits on the standard library alone. Packages listen and client use it.
//
// Nothing runs between handshakes: the files are looked at when one begins, once a second at most. So no watcher of the
// file system is needed, and what replaces a file does not matter: a rename over it, a symbolic link that points
// elsewhere (certbot, Kubernetes), or a write in place.
package certs
