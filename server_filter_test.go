package fastcgi_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// A42: a filter that has no use for STDIN is given DATA all the same, however
// much of STDIN it leaves.
func TestFilterLeavesStdin(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		a := p.serve(t, &fastcgi.Server{StdinBuffer: 4 << 10, Filter: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			io.Copy(w, r.Data())
		})})
		for _, size := range []int{4<<10 - 1, 4 << 10, 4<<10 + 1, 1 << 20} {
			w := a.dial(t)
			left, file := strings.Repeat("s", size), strings.Repeat("d", size)
			w.expects(begin(1, fastcgi.RoleFilter, false))
			sent := make(chan error, 1)
			go func() {
				_, err := w.Write(slices.Concat(begin(1, fastcgi.RoleFilter, false), paramsEnd(1),
					stdin(1, left), stdinEnd(1), data(1, file), dataEnd(1)))
				sent <- err
			}()
			w.answer(1).expect(t, file)
			if err := <-sent; err != nil {
				t.Error(err)
			}
		}
	})
}

// A42: DATA is held to FCGI_DATA_LENGTH.
func TestA42DataLength(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		a := p.serve(t, &fastcgi.Server{Filter: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			b, err := io.ReadAll(r.Data())
			fmt.Fprintf(w, "%s %v", b, err)
		})})
		w := a.dial(t)
		for length, want := range map[string]string{
			"": "file <nil>", "x": "file <nil>", "-1": "file <nil>",
			"3": "fil <nil>", "4": "file <nil>", "5": "file unexpected EOF",
		} {
			w.send(begin(1, fastcgi.RoleFilter, true), params(1, "FCGI_DATA_LENGTH", length), paramsEnd(1),
				stdinEnd(1), data(1, "file"), dataEnd(1))
			w.answer(1).expect(t, want)
		}
	})
}
