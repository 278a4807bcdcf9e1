package main

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// Files serve the regular files under a folder, and leaves every other request to the next handler: other methods
// than GET and HEAD, scripts, folders, what does not exist, what cannot be read, and whatever has a name that begins with a dot
// anywhere in its path, which is where version control and editors keep what is nobody's business.
//
// An [os.Root] keeps it inside the folder, symbolic links included.
type files struct {
	root    *os.Root
	scripts string // how the names of files end that are for the next handler as well; empty for none
	next    http.Handler
}

// openFiles opens the folder that --root names.
func openFiles(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	switch {
	case err == nil:
		return root, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, failed(err, "there is no folder "+dir+" for --root to serve", "Make it, or name another; "+here())
	case isFile(dir):
		return nil, failed(err, dir+" is not a folder, and --root serves a folder", "Name the folder it is in.")
	}
	return nil, failed(err, "--root cannot serve "+dir+": "+err.Error(), "")
}

func (f *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		f.next.ServeHTTP(w, r)
		return
	}
	file, info := f.open(r.URL.Path)
	if file == nil {
		f.next.ServeHTTP(w, r)
		return
	}
	defer file.Close()
	http.ServeContent(w, r, info.Name(), info.ModTime(), file)
}

// open returns nil where there is no file to serve.
func (f *files) open(urlPath string) (*os.File, fs.FileInfo) {
	name, ok := fileName(urlPath)
	if !ok || f.isScript(name) {
		return nil, nil
	}
	// Before it is opened: opening a named pipe would wait for its writer.
	info, err := f.root.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, nil
	}
	return file, info
}

// isScript reports whether a file must not be shown to anybody, but run. Some file systems find it by a name in capital
// letters, too.
func (f *files) isScript(name string) bool {
	return f.scripts != "" && strings.EqualFold(filepath.Ext(name), f.scripts)
}

// fileName turns the path of a URL into that of a file, if it may name one. It takes paths as they are: one that needs
// cleaning ("//", "/../") names no file.
func fileName(urlPath string) (name string, ok bool) {
	path, absolute := strings.CutPrefix(urlPath, "/")
	if !absolute || strings.HasPrefix(path, ".") || strings.Contains(path, "/.") {
		return "", false
	}
	name, err := filepath.Localize(path)
	return name, err == nil
}
