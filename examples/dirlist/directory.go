package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"time"
)

// A directory is one that is being read.
type directory struct {
	root *os.Root // the directory, for its entries
	file *os.File // the directory, for their names
}

// openDirectory opens the directory below root that a URL's path names. No path
// and no symbolic link leads out of root.
func openDirectory(root *os.Root, path string) (*directory, error) {
	name := strings.Trim(path, "/")
	if name == "" {
		name = "."
	}
	dir, err := root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	file, err := dir.Open(".")
	if err != nil {
		dir.Close()
		return nil, err
	}
	return &directory{dir, file}, nil
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
	var lines []byte
	for _, name := range names {
		info, err := d.root.Lstat(name)
		if err != nil {
			continue // it was removed meanwhile
		}
		line, err := json.Marshal(describe(info))
		if err != nil {
			return nil, err
		}
		lines = append(append(lines, line...), '\n')
	}
	return lines, nil
}

func (d *directory) close() {
	// Nothing was written, so there is nothing that closing could lose.
	_ = d.file.Close()
	_ = d.root.Close()
}

// An entry is a line of the answer.
type entry struct {
	Name     string    `json:"name"`
	Type     string    `json:"type"` // file, directory, symlink or other
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
}

func describe(info fs.FileInfo) entry {
	e := entry{Name: info.Name(), Type: "other", Size: info.Size(), Modified: info.ModTime().UTC()}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		e.Type = "file"
	case mode.IsDir():
		e.Type = "directory"
	case mode&fs.ModeSymlink != 0:
		e.Type = "symlink"
	}
	return e
}
