package main

import (
	"bytes"
	"io"
	"runtime"
	"strconv"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
)

// Each piece of the body comes back before the next is sent.
func TestEchoAnswersAsItGoes(t *testing.T) {
	everyWay(t, func(t *testing.T, _ string, _ *fastcgi.Server, f *front.Front) {
		theirs, ours := io.Pipe()
		req := front.Get("do=echo")
		req.Stdin = theirs
		go func() { _, _ = ours.Write([]byte("0")) }()
		resp := do(t, f, req)
		defer resp.Close()
		readTo(t, resp, "\r\n\r\n0")
		for i := range 9 {
			piece := strconv.Itoa(i + 1)
			if _, err := ours.Write([]byte(piece)); err != nil {
				t.Fatal(err)
			}
			readTo(t, resp, piece)
		}
		ours.Close()
		if rest, err := io.ReadAll(resp); len(rest) > 0 || err != nil {
			t.Errorf("there is a rest of %q, %v", rest, err)
		}
	})
}

// Each line of a stream is there before the next is written.
func TestStreamIsFlushed(t *testing.T) {
	everyWay(t, func(t *testing.T, _ string, _ *fastcgi.Server, f *front.Front) {
		resp := do(t, f, front.Get("do=stream&n=2&ms=3600000"))
		defer resp.Close()
		readTo(t, resp, "\r\n\r\nchunk 0\n")
	})
}

func do(t *testing.T, f *front.Front, req *client.Request) *client.Response {
	t.Helper()
	resp, err := f.Client.Do(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// readTo reads until what was read ends in want.
func readTo(t *testing.T, r io.Reader, want string) {
	t.Helper()
	var got []byte
	b := make([]byte, 1)
	for !bytes.HasSuffix(got, []byte(want)) {
		if _, err := r.Read(b); err != nil {
			t.Fatalf("after %q comes %v, not %q", got, err, want)
		}
		got = append(got, b...)
	}
}

// flat is how much the heap may grow in the test below, which moves many times
// as much.
const flat = 8 << 20

// F5: an echo whose answer is read more slowly than its body is sent takes no
// memory, nor does an answer without end.
func TestMemoryIsFlat(t *testing.T) {
	const size = 100 << 20
	everyWay(t, func(t *testing.T, _ string, srv *fastcgi.Server, f *front.Front) {
		echo := front.Get("do=echo", length(size)...)
		echo.Stdin = io.LimitReader(zeros{}, size)
		for _, req := range []*client.Request{echo, front.Get("do=bytes&n=" + strconv.Itoa(size))} {
			resp := do(t, f, req)
			peak, n := heapWhileReading(t, resp, srv)
			resp.Close()
			if n < size {
				t.Errorf("only %d bytes arrived", n)
			}
			if peak > flat {
				t.Errorf("%d bytes took %d of memory", n, peak)
			}
		}
	})
}

// heapWhileReading reads everything, now and then looks at the memory in use,
// and returns the most by which that grew.
func heapWhileReading(t *testing.T, r io.Reader, srv *fastcgi.Server) (peak, read int64) {
	t.Helper()
	start := heap()
	for {
		n, err := io.CopyN(io.Discard, r, 8<<20)
		read += n
		peak = max(peak, heap()-start, srv.Stats().BufferedBytes, srv.Stats().SpooledBytes)
		if err == io.EOF {
			return peak, read
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// heap is the memory in use that is reachable.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
