module github.com/simple-fastcgi/fastcgi/interop/websocket

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/gorilla/websocket v1.5.3
	github.com/simple-fastcgi/fastcgi v0.0.0
	golang.org/x/net v0.55.0
)

require golang.org/x/sys v0.49.0 // indirect

replace github.com/simple-fastcgi/fastcgi => ../..
