module github.com/simple-fastcgi/fastcgi

go 1.25.0

require golang.org/x/sys v0.45.0
