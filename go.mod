module github.com/simple-fastcgi/fastcgi

go 1.25
