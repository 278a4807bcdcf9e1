package fastcgi_test

import (
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
