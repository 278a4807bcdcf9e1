package gateway

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// A target is what a path means to the application.
type target struct {
	scriptName     string // SCRIPT_NAME
	pathInfo       string // PATH_INFO
	scriptFilename string // SCRIPT_FILENAME; none if empty
}

// locate says what the path of a request, decoded, means.
func (h *Handler) locate(r *http.Request) (target, error) {
	path := r.URL.Path
	if path == "" && r.Method != http.MethodConnect { // "GET http://host"
		path = "/"
	}
	switch {
	case !strings.HasPrefix(path, "/"):
		// "OPTIONS *", and CONNECT.
		return target{}, statusError(http.StatusBadRequest, "%q is no path", path)
	case strings.ContainsAny(path, "\r\n\x00"):
		// A pattern that stops at a line's end, or a C string, would see another
		// path than this one (CVE-2019-11043).
		return target{}, statusError(http.StatusBadRequest, "path %q has a control character", path)
	case h.Extension != "":
		return h.locateScript(path)
	}
	info, ok := strings.CutPrefix(path, h.Prefix)
	if !ok || info != "" && info[0] != '/' && !strings.HasSuffix(h.Prefix, "/") {
		return target{}, statusError(http.StatusNotFound, "path %q is outside of %q", path, h.Prefix)
	}
	return target{scriptName: h.Prefix, pathInfo: info, scriptFilename: h.ScriptFilename}, nil
}

// locateScript finds the script that a path names.
func (h *Handler) locateScript(path string) (target, error) {
	name, info, ok := splitScript(path, h.Extension)
	if !ok && strings.HasSuffix(path, "/") {
		name, ok = path+"index"+h.Extension, true
	}
	if ok {
		if file := h.scriptFile(name); file != "" {
			return target{name, info, file}, nil
		}
	}
	if h.FrontController != "" {
		if file := h.scriptFile(h.FrontController); file != "" {
			return target{h.FrontController, "", file}, nil
		}
	}
	return target{}, statusError(http.StatusNotFound, "path %q names no script", path)
}

// splitScript cuts path behind the first segment that ends in extension, byte
// for byte: folding case would, for some letters, move the cut (CVE-2026-27590).
func splitScript(path, extension string) (name, info string, ok bool) {
	for at := 0; ; {
		i := strings.Index(path[at:], extension)
		if i < 0 {
			return "", "", false
		}
		at += i + len(extension)
		if at == len(path) || path[at] == '/' {
			return path[:at], path[at:], true
		}
	}
}

// scriptFile returns the file of a script, or "" if there is none.
func (h *Handler) scriptFile(name string) string {
	// Refuses "..", "." and empty segments, and what is special to the system.
	local, err := filepath.Localize(strings.TrimPrefix(name, "/"))
	if err != nil {
		return ""
	}
	file := filepath.Join(h.Root, local)
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return file
}
