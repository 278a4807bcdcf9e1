package routers_test

import (
	"io"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/mux"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"

	"github.com/simple-fastcgi/fastcgi"
)

// routers make the same application with each router: a root, a greeting that links to it, a page in a folder, and a
// login that redirects. Where the slash behind the folder is to be or not to be, the router redirects by itself.
var routers = map[string]func() http.Handler{
	"ServeMux":    newServeMux,
	"gorilla/mux": newGorilla,
	"chi":         newChi,
	"gin":         newGin,
	"echo":        newEcho,
}

// greeting is what the application answers to /hello/{name}, with a link to its root.
func greeting(r *http.Request, name string) string {
	return "hello, " + name + ", go to " + fastcgi.BasePath(r.Context()) + "/"
}

func root(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "root") }

func folder(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "folder") }

func login(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/dir/?in", http.StatusSeeOther)
}

func newServeMux() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", root)
	m.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, greeting(r, r.PathValue("name")))
	})
	m.HandleFunc("GET /dir/", folder)
	m.HandleFunc("POST /login", login)
	return m
}

func newGorilla() http.Handler {
	m := mux.NewRouter().StrictSlash(true)
	m.HandleFunc("/", root).Methods(http.MethodGet)
	m.HandleFunc("/hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, greeting(r, mux.Vars(r)["name"]))
	}).Methods(http.MethodGet)
	m.HandleFunc("/dir/", folder).Methods(http.MethodGet)
	m.HandleFunc("/login", login).Methods(http.MethodPost)
	return m
}

func newChi() http.Handler {
	m := chi.NewRouter()
	m.Use(chimiddleware.RedirectSlashes)
	m.Get("/", root)
	m.Get("/hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, greeting(r, chi.URLParam(r, "name")))
	})
	m.Get("/dir", folder)
	m.Post("/login", login)
	return m
}

func newGin() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	m := gin.New()
	m.UseRawPath = true
	m.HandleMethodNotAllowed = true
	m.GET("/", gin.WrapF(root))
	m.GET("/hello/:name", func(c *gin.Context) { c.String(http.StatusOK, greeting(c.Request, c.Param("name"))) })
	m.GET("/dir/", gin.WrapF(folder))
	m.POST("/login", gin.WrapF(login))
	return m
}

func newEcho() http.Handler {
	m := echo.New()
	m.Pre(echomiddleware.RemoveTrailingSlashWithConfig(echomiddleware.TrailingSlashConfig{
		RedirectCode: http.StatusMovedPermanently,
	}))
	m.GET("/", echo.WrapHandler(http.HandlerFunc(root)))
	m.GET("/hello/:name", func(c echo.Context) error {
		return c.String(http.StatusOK, greeting(c.Request(), c.Param("name")))
	})
	m.GET("/dir", echo.WrapHandler(http.HandlerFunc(folder)))
	m.POST("/login", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, "/dir/?in") })
	return m
}
