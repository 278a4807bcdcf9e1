spawn-fcgi -a 127.0.0.1 -p 9000 -P /run/app/app.pid -- /usr/local/bin/app
