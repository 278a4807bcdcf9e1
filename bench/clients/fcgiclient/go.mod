module github.com/simple-fastcgi/fastcgi/bench/clients/fcgiclient

go 1.25.0

require github.com/simple-fastcgi/fastcgi v0.0.0

require (
	github.com/tomasen/fcgi_client v0.0.0-20180423082037-2bb3d819fd19
	golang.org/x/sys v0.45.0 // indirect
)

replace github.com/simple-fastcgi/fastcgi => ../../..
