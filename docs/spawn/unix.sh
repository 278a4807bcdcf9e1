spawn-fcgi -s /run/app/app.sock -M 0660 -P /run/app/app.pid -- /usr/local/bin/app
