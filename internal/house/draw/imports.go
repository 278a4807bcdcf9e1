package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const module = "github.com/simple-fastcgi/fastcgi"

// platforms are those whose imports are drawn: the loop driver is for Linux alone.
var platforms = []string{"linux", "windows"}

// readImports returns what each package of this module imports of it, by folder: "." is the root.
func readImports() (map[string][]string, error) {
	imports := make(map[string][]string)
	for _, goos := range platforms {
		cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
		cmd.Env = append(os.Environ(), "GOOS="+goos)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", cmd, err)
		}
		for line := range strings.Lines(string(out)) {
			paths := strings.Fields(line)
			from := folder(paths[0])
			imports[from] = append(imports[from], ownFolders(paths[1:])...)
		}
	}
	return imports, nil
}

// ownFolders returns the folders of those packages that are this module's.
func ownFolders(paths []string) (folders []string) {
	for _, path := range paths {
		if f := folder(path); f != "" {
			folders = append(folders, f)
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

// folder is a package's place in the checkout, "" outside of this module.
func folder(importPath string) string {
	if importPath == module {
		return "."
	}
	f, _ := strings.CutPrefix(importPath, module+"/")
	if f == importPath {
		return ""
	}
	return f
}
