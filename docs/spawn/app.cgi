#!/usr/bin/cgi-fcgi -f
-connect /run/app/app.sock
/usr/local/bin/app 2
