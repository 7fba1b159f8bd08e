package api

import (
	"embed"
	"io/fs"
	"net/http"
)

// web is the status page: three files that ask the API and load nothing from elsewhere.
//
//go:embed web
var web embed.FS

// pageRoutes serve the status page.
func pageRoutes(mux *http.ServeMux) {
	files, err := fs.Sub(web, "web")
	if err != nil {
		panic(err) // it is embedded
	}
	serve := http.FileServerFS(files)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { serve.ServeHTTP(w, r) })
	for _, name := range []string{"page.css", "page.js"} {
		mux.Handle("GET /"+name, serve)
	}
}

// strictly tells browsers to let a page do no more than ours does.
func strictly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}
