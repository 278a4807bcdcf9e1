module github.com/simple-fastcgi/fastcgi/bench/clients/gofast

go 1.25.0

require (
	github.com/simple-fastcgi/fastcgi v0.0.0
	github.com/yookoala/gofast v0.8.0
)

require (
	golang.org/x/sys v0.45.0 // indirect
	golang.org/x/tools v0.0.0-20200908211811-12e1bf57a112 // indirect
)

replace github.com/simple-fastcgi/fastcgi => ../../..
