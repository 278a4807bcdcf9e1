package house_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// numberRule is what the comment of every type with settings says, word for word.
const numberRule = "In every number here, zero means the default, and below zero means no limit"

// noLimit is the default of a number that limits nothing unless it is set.
const noLimit = "no limit"

// numbers are the types with settings and what their numbers are by default. A number that is not listed, or whose
// comment or row in docs/limits.md says something else, fails the tests.
var numbers = []struct {
	dir      string
	settings any
	listed   bool // in docs/limits.md
	defaults map[string]any
}{
	{".", fastcgi.Server{}, true, map[string]any{
		"MaxConcurrency": noLimit, "MaxConns": fastcgi.DefaultMaxConns, "MaxRequestsPerConn": protocol.DefaultMaxRequests,
		"MaxParams": size(protocol.DefaultMaxParams), "MaxPairs": protocol.DefaultMaxPairs,
		"StdinBuffer": size(fastcgi.DefaultStdinBuffer), "SpoolLimit": size(fastcgi.DefaultSpoolLimit),
		"MemoryLimit": size(fastcgi.DefaultMemoryLimit), "FirstByteTimeout": fastcgi.DefaultFirstByteTimeout,
		"ParamsTimeout": fastcgi.DefaultParamsTimeout, "IdleTimeout": fastcgi.DefaultIdleTimeout,
		"BodyTimeout": fastcgi.DefaultBodyTimeout, "WriteTimeout": fastcgi.DefaultWriteTimeout,
		"DrainTimeout": fastcgi.DefaultDrainTimeout, "DrainGrace": fastcgi.DefaultDrainGrace,
	}},
	{".", fastcgi.ListenOptions{}, false, map[string]any{"Mode": "0660"}},
	{"client", client.Client{}, true, map[string]any{
		"DialTimeout": client.DefaultDialTimeout, "MaxConns": noLimit, "MaxIdle": client.DefaultMaxIdle,
		"IdleTimeout": client.DefaultIdleTimeout, "MaxRequestsPerConn": noLimit,
		"MaxActivePerConn": client.DefaultMaxActivePerConn, "SpoolLimit": size(client.DefaultSpoolLimit),
	}},
	{"client", client.Balancer{}, true, map[string]any{
		"MaxInFlight": noLimit, "MaxQueue": client.DefaultMaxQueue, "QueueTimeout": client.DefaultQueueTimeout,
		"MaxRetries": client.DefaultMaxRetries, "ResponseTimeout": noLimit,
		"MaxFailures": client.DefaultMaxFailures, "FailureWindow": client.DefaultFailureWindow,
		"EjectionTime": client.DefaultEjectionTime, "MaxEjectionTime": client.DefaultMaxEjectionTime,
		"SlowStart": "none", "ResolveInterval": client.DefaultResolveInterval,
	}},
	{"client", client.Check{}, true, map[string]any{
		"Interval": client.DefaultCheckInterval, "Timeout": client.DefaultCheckTimeout,
		"Rise": client.DefaultRise, "Fall": client.DefaultFall,
	}},
	{"gateway", gateway.Handler{}, true, map[string]any{
		"SpoolMemory": size(gateway.DefaultSpoolMemory), "SpoolLimit": size(gateway.DefaultSpoolLimit),
		"ResponseHeaderTimeout": gateway.DefaultResponseHeaderTimeout, "UpgradeIdleTimeout": noLimit,
	}},
	{"protocol", protocol.Config{}, false, map[string]any{
		"MaxRequests": protocol.DefaultMaxRequests, "MaxParams": size(protocol.DefaultMaxParams),
		"MaxPairs": protocol.DefaultMaxPairs,
	}},
}

// A size is a number of bytes.
type size int64

func (n size) String() string {
	for _, unit := range []string{"bytes", "KiB", "MiB"} {
		if n%1024 != 0 || n == 0 {
			return fmt.Sprint(int64(n), " ", unit)
		}
		n /= 1024
	}
	return fmt.Sprint(int64(n), " GiB")
}

// spell is how comments and pages write a default.
func spell(value any) string {
	switch v := value.(type) {
	case time.Duration:
		if v < time.Second {
			return strconv.FormatInt(v.Milliseconds(), 10) + " ms"
		}
		return strconv.FormatFloat(v.Seconds(), 'f', -1, 64) + " s"
	case int:
		text := strconv.Itoa(v)
		if n := len(text); n > 3 {
			text = text[:n-3] + "," + text[n-3:]
		}
		return text
	}
	return fmt.Sprint(value)
}

func TestSpell(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  string
	}{
		{90 * time.Second, "90 s"},
		{time.Second, "1 s"},
		{250 * time.Millisecond, "250 ms"},
		{1500 * time.Millisecond, "1.5 s"},
		{2, "2"},
		{999, "999"},
		{1000, "1,000"},
		{10000, "10,000"},
		{size(1000), "1000 bytes"},
		{size(64 << 10), "64 KiB"},
		{size(512 << 20), "512 MiB"},
		{size(1 << 30), "1 GiB"},
		{noLimit, "no limit"},
	} {
		if got := spell(tt.value); got != tt.want {
			t.Errorf("%v is spelled %q, want %q", tt.value, got, tt.want)
		}
	}
}

// Every number that a user can set says its default, and every type with such numbers what zero and below zero mean.
func TestNumbersAreDocumented(t *testing.T) {
	limits, err := os.ReadFile(filepath.Join(checkout, "docs", "limits.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range numbers {
		of := reflect.TypeOf(tt.settings)
		comment, fields := commentsOf(t, filepath.Join(checkout, tt.dir), of.Name())
		if _, mode := tt.defaults["Mode"]; !mode && !strings.Contains(comment, numberRule) {
			t.Errorf("the comment of %v does not say: %s", of, numberRule)
		}
		for _, name := range numericFields(of) {
			value, ok := tt.defaults[name]
			if !ok {
				t.Errorf("%v.%s is a number, and its default is not listed in this test", of, name)
				continue
			}
			stated := regexp.MustCompile(`(?i)the defaults?\b[^.;]* ` + regexp.QuoteMeta(spell(value)) + `\b`)
			if !stated.MatchString(fields[name]) {
				t.Errorf("the comment of %v.%s does not say that the default is %s:\n%s", of, name, spell(value), fields[name])
			}
			row := regexp.MustCompile("(?m)^\\|[^|]*\\| `" + name + "` \\| " + regexp.QuoteMeta(strings.Replace(spell(value), noLimit, "none", 1)) + ` \|`)
			if tt.listed && !row.Match(sectionOf(limits, of)) {
				t.Errorf("docs/limits.md has no row for %v.%s with the default %s", of, name, spell(value))
			}
		}
	}
}

// sectionOf is the part of docs/limits.md that is about a type: the first one, Server's, has no heading.
func sectionOf(page []byte, of reflect.Type) []byte {
	for part := range strings.SplitSeq(string(page), "\n## ") {
		heading, _, _ := strings.Cut(part, "\n")
		if heading == "# Limits" && of.Name() == "Server" || strings.Contains(heading, of.String()) {
			return []byte(part)
		}
	}
	return nil
}

// numericFields names the exported fields of a struct that are numbers.
func numericFields(of reflect.Type) (names []string) {
	for i := range of.NumField() {
		field := of.Field(i)
		kind := field.Type.Kind()
		if field.IsExported() && kind >= reflect.Int && kind <= reflect.Float64 && !isChoice(field.Type) {
			names = append(names, field.Name)
		}
	}
	return names
}

// isChoice reports whether values of a type are names of this module's, such as client.MultiplexOn, and no numbers.
func isChoice(t reflect.Type) bool {
	return strings.HasPrefix(t.PkgPath(), "github.com/simple-fastcgi/")
}

// commentsOf returns the comment of a struct type and those of its fields. Fields that follow one another without a
// comment have that of the first.
func commentsOf(t *testing.T, dir, name string) (comment string, fields map[string]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			decl, ok := decl.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE || decl.Doc == nil {
				continue
			}
			spec := decl.Specs[0].(*ast.TypeSpec)
			if body, ok := spec.Type.(*ast.StructType); ok && spec.Name.Name == name {
				return oneLine(decl.Doc), fieldComments(body)
			}
		}
	}
	t.Fatalf("%s has no struct %s with a comment", dir, name)
	return "", nil
}

func fieldComments(body *ast.StructType) map[string]string {
	comments := make(map[string]string)
	last := ""
	for _, field := range body.Fields.List {
		if field.Doc != nil {
			last = oneLine(field.Doc)
		}
		for _, name := range field.Names {
			comments[name.Name] = last
		}
	}
	return comments
}

// oneLine is a comment's text on one line.
func oneLine(comment *ast.CommentGroup) string {
	return strings.Join(strings.Fields(comment.Text()), " ")
}
