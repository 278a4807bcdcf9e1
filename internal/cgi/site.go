package cgi

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// A Site is how the paths of requests become scripts. gateway.Handler and
// client.Transport have its fields, and say what they mean.
type Site struct {
	Prefix          string
	Root            string
	ScriptFilename  string
	Extension       string
	FrontController string
}

// A Target is what a path means to the application.
type Target struct {
	ScriptName     string // SCRIPT_NAME
	PathInfo       string // PATH_INFO
	ScriptFilename string // SCRIPT_FILENAME; none if empty
}

// Locate says what the path of a request, decoded, means. Its error is a
// *StatusError. With an Extension it looks whether the script is there.
func (s *Site) Locate(r *http.Request) (Target, error) {
	path := r.URL.Path
	if path == "" && r.URL.Opaque == "" && r.Method != http.MethodConnect { // "GET http://host"
		path = "/"
	}
	switch {
	case !strings.HasPrefix(path, "/"):
		// "OPTIONS *", and CONNECT.
		return Target{}, statusErrorf(http.StatusBadRequest, "%q is no path", path)
	case strings.ContainsAny(path, "\r\n\x00"):
		// A pattern that stops at a line's end, or a C string, would see another
		// path than this one (CVE-2019-11043).
		return Target{}, statusErrorf(http.StatusBadRequest, "path %q has a control character", path)
	case s.Extension != "":
		return s.locateScript(path)
	}
	info, ok := strings.CutPrefix(path, s.Prefix)
	if !ok || info != "" && info[0] != '/' && !strings.HasSuffix(s.Prefix, "/") {
		return Target{}, statusErrorf(http.StatusNotFound, "path %q is outside of %q", path, s.Prefix)
	}
	return Target{ScriptName: s.Prefix, PathInfo: info, ScriptFilename: s.ScriptFilename}, nil
}

// locateScript finds the script that a path names.
func (s *Site) locateScript(path string) (Target, error) {
	name, info, ok := splitScript(path, s.Extension)
	if !ok && strings.HasSuffix(path, "/") {
		name, ok = path+"index"+s.Extension, true
	}
	if ok {
		if file := s.scriptFile(name); file != "" {
			return Target{name, info, file}, nil
		}
	}
	if s.FrontController != "" {
		if file := s.scriptFile(s.FrontController); file != "" {
			return Target{s.FrontController, "", file}, nil
		}
	}
	return Target{}, statusErrorf(http.StatusNotFound, "path %q names no script", path)
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
func (s *Site) scriptFile(name string) string {
	// Refuses "..", "." and empty segments, and what is special to the system.
	local, err := filepath.Localize(strings.TrimPrefix(name, "/"))
	if err != nil {
		return ""
	}
	file := filepath.Join(s.Root, local)
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return file
}
