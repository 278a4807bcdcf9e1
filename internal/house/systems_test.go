package house_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/required"
)

var (
	platformsInMakefile = regexp.MustCompile(`(?m)^PLATFORMS := ((?:.*\\\n)*.*)$`)
	platformOnPage      = regexp.MustCompile(`\(([a-z]+/[a-z0-9]+)\)`)
)

// W25: docs/systems.md names the platforms that make cross builds, all of them and no others; wherever net/http/fcgi is
// expected to build, that is.
func TestW25Platforms(t *testing.T) {
	found := platformsInMakefile.FindStringSubmatch(readText(t, "Makefile"))
	if found == nil {
		t.Fatal("the Makefile has no PLATFORMS")
	}
	built := strings.Fields(strings.ReplaceAll(found[1], "\\\n", " "))
	var told []string
	for _, match := range platformOnPage.FindAllStringSubmatch(readText(t, "docs/systems.md"), -1) {
		told = append(told, match[1])
	}
	slices.Sort(built)
	slices.Sort(told)
	if !slices.Equal(built, told) {
		t.Errorf("make cross builds %q, docs/systems.md has %q", built, told)
	}
	for _, system := range []string{"illumos", "solaris", "aix", "netbsd", "dragonfly", "openbsd", "freebsd", "darwin", "windows"} {
		if !slices.ContainsFunc(built, func(p string) bool { return strings.HasPrefix(p, system+"/") }) {
			t.Errorf("make cross does not build for %s", system)
		}
	}
}

// The files for service managers are printed on the page as they are, and can be read: what starts them runs on other
// systems.
func TestServiceFiles(t *testing.T) {
	page := readText(t, "docs/systems.md")
	for _, name := range []string{"com.example.app.plist", "app.rc"} {
		text := readText(t, "docs/systems/"+name)
		if !strings.Contains(page, "\n"+text+"```\n") {
			t.Errorf("docs/systems.md does not print %s as it is", name)
		}
		switch filepath.Ext(name) {
		case ".plist":
			d := xml.NewDecoder(strings.NewReader(text))
			for {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
		case ".rc":
			sh, err := exec.LookPath("sh")
			if err != nil {
				required.Missing(t, "%v: install a POSIX shell", err)
			}
			cmd := exec.Command(sh, "-n")
			cmd.Stdin = strings.NewReader(text)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
	}
}

// readText returns a file of the checkout.
func readText(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(checkout, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}
