REQUEST_METHOD=GET QUERY_STRING='do=params' cgi-fcgi -bind -connect /run/app/app.sock
