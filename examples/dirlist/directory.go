package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
)

// A directory is one that is being read.
type directory struct {
	root *os.Root // what no link leads out of
	name string   // of the directory, below root
	file *os.File // the directory, for the names of its entries
}

// openDirectory opens the directory below root that a path names: the entries of
// root itself are those of "/". As in the Python package, slashes and dots before
// the path do not count. No path and no symbolic link leads out of root.
func openDirectory(root, path string) (*directory, error) {
	name := strings.TrimRight(strings.TrimLeft(path, "/."), "/")
	if name == "" {
		name = "."
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	file, err := openIn(r, name)
	if err != nil {
		_ = r.Close() // nothing was written
		return nil, err
	}
	return &directory{r, name, file}, nil
}

// openIn opens a directory, and nothing else: a pipe would wait for its other end.
func openIn(root *os.Root, name string) (*os.File, error) {
	dir, err := root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Open(".")
}

// batch is how many entries are read at once: the first of a large directory
// are there soon, and all of a small one go out together.
const batch = 128

// next returns the lines of the next entries, or io.EOF when there are no more.
func (d *directory) next() ([]byte, error) {
	names, err := d.file.Readdirnames(batch)
	if err != nil {
		return nil, err
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	for _, name := range names {
		e, ok := d.entry(name)
		if !ok {
			continue
		}
		if err := enc.Encode(e); err != nil {
			return nil, err
		}
	}
	return lines.Bytes(), nil
}

// An entry is a line of the answer.
type entry struct {
	Name string `json:"name"`
	*details
}

// The details of an entry are missing where it cannot be looked at.
type details struct {
	Type  string `json:"type"` // dir or file
	Size  int64  `json:"size"`
	MTime int64  `json:"mtime"` // in milliseconds since 1970
}

// entry describes what a name in the directory stands for. A link is what it leads
// to. What is neither a directory nor a file is not shown.
func (d *directory) entry(name string) (entry, bool) {
	info, err := d.root.Stat(d.name + "/" + name)
	switch {
	case errors.Is(err, fs.ErrNotExist): // it was removed meanwhile, or leads nowhere
		return entry{}, false
	case err != nil: // it leads out of root, for instance
		return entry{Name: name}, true
	}
	about := &details{Size: info.Size(), MTime: info.ModTime().UnixMilli()}
	switch {
	case info.IsDir():
		about.Type = "dir"
	case info.Mode().IsRegular():
		about.Type = "file"
	default:
		return entry{}, false
	}
	return entry{name, about}, true
}

func (d *directory) close() {
	// Nothing was written, so there is nothing that closing could lose.
	_ = d.file.Close()
	_ = d.root.Close()
}
