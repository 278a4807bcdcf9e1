package interop

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// ReadLines returns the results in a file of the tests, which has one a line, in JSON: none if no test wrote one.
func ReadLines[T any](path string) ([]T, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var results []T
	for d := json.NewDecoder(f); ; {
		var r T
		if err := d.Decode(&r); err == io.EOF {
			return results, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		results = append(results, r)
	}
}

// Encode returns results as a list in JSON, one a line, so that a change of the file shows what changed.
func Encode[T any](results []T) ([]byte, error) {
	text := []byte("[\n")
	for i, r := range results {
		line, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		text = append(append(text, '\t'), line...)
		if i < len(results)-1 {
			text = append(text, ',')
		}
		text = append(text, '\n')
	}
	return append(text, ']', '\n'), nil
}

// ReplaceSection puts text between two lines of a page in Markdown: the one that says that a command writes what
// follows, and the next that says that it ends there.
func ReplaceSection(page, command, text string) (string, error) {
	begins, ends := "<!-- written by "+command+" -->\n", "<!-- end -->\n"
	before, rest, begun := strings.Cut(page, begins)
	_, after, ended := strings.Cut(rest, ends)
	if !begun || !ended {
		return "", fmt.Errorf("the lines around what %s writes are missing", command)
	}
	return before + begins + "\n" + text + "\n" + ends + after, nil
}

// Keep puts results into the repository: into a file in JSON, and as text into the section of a page that a command
// writes.
func Keep[T any](results []T, file, page, command, text string) error {
	encoded, err := Encode(results)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, encoded, 0o644); err != nil {
		return err
	}
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	updated, err := ReplaceSection(string(old), command, text)
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return os.WriteFile(page, []byte(updated), 0o644)
}
