package interop_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
)

// noise returns n bytes in which every piece is different, the same ones each time.
func noise(n int64) io.Reader { return io.LimitReader(new(noiseReader), n) }

// noiseBlock is what noise is made of: it is dear under the race detector.
var noiseBlock = sync.OnceValue(func() []byte {
	block := make([]byte, 64<<10)
	rand.NewChaCha8([32]byte{}).Read(block)
	return block
})

// A noiseReader reads noiseBlock again and again, each time with its number for a beginning.
type noiseReader struct {
	blocks uint64 // begun
	block  []byte
	unread []byte // of block
}

func (r *noiseReader) Read(p []byte) (int, error) {
	if len(r.unread) == 0 {
		if r.block == nil {
			r.block = bytes.Clone(noiseBlock())
		}
		binary.BigEndian.PutUint64(r.block, r.blocks)
		r.blocks++
		r.unread = r.block
	}
	n := copy(p, r.unread)
	r.unread = r.unread[n:]
	return n, nil
}

// digests are those of noise by its length: a long one takes seconds under the race detector.
var digests sync.Map

// noiseDigest is what the probe answers to n bytes of noise.
func noiseDigest(t testing.TB, n int64) string {
	t.Helper()
	if known, ok := digests.Load(n); ok {
		return known.(string)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, noise(n)); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%x %d\n", sum.Sum(nil), n)
	digests.Store(n, text)
	return text
}

func uploadLarge(t testing.TB, s *site) { upload(t, s, 100_000_000, 100_000_000) }

func uploadUnknownLength(t testing.TB, s *site) {
	for _, n := range []int64{1, 65535, 3_000_000} {
		upload(t, s, n, -1)
	}
}

// upload sends n bytes and says that they are length, -1 for not saying.
func upload(t testing.TB, s *site, n, length int64) {
	t.Helper()
	want := noiseDigest(t, n)
	s.client.CloseIdleConnections() // the web server may be closing one, and this body cannot be sent twice
	req := s.request(t, http.MethodPost, "do=digest", noise(n))
	req.ContentLength = length
	s.do(t, req).want(t, 200, want)
}

// A29: the answer arrives although most of the body is unread; the kept connection is not confused by the rest.
func uploadIgnored(t testing.TB, s *site) {
	for range 5 {
		s.ignored(t).want(t, 200, "ignored\n")
		s.get(t, "do=bytes&n=3").want(t, 200, "\x00\x01\x02")
	}
}

// ignored returns the answer to an upload that is not read. net/http closes a connection on which it is still sending
// when it has the answer, and may then report that it has closed it in place of the answer.
func (s *site) ignored(t testing.TB) answer {
	t.Helper()
	for {
		req := s.request(t, http.MethodPost, "do=ignore", noise(5_000_000))
		req.ContentLength = 5_000_000
		a, err := s.try(req)
		switch {
		case err == nil:
			return a
		case !errors.Is(err, net.ErrClosed):
			t.Fatal(err)
		}
	}
}

func download(t testing.TB, s *site) {
	const n = 10_000_000
	resp := s.begin(t, s.request(t, http.MethodGet, fmt.Sprintf("do=bytes&n=%d", n), nil))
	if resp.StatusCode != 200 || resp.ContentLength != n {
		t.Errorf("status %d, Content-Length %d; want 200, %d", resp.StatusCode, resp.ContentLength, n)
	}
	wantPattern(t, resp.Body, n)
}

// wantPattern checks what the probe sends for bytes: byte i is i mod 251.
func wantPattern(t testing.TB, r io.Reader, n int) {
	t.Helper()
	const period = 251
	var want [period * 256]byte
	for i := range want {
		want[i] = byte(i % period)
	}
	var got [len(want)]byte
	for done := 0; done < n; done += len(want) {
		piece := got[:min(len(got), n-done)]
		if _, err := io.ReadFull(r, piece); err != nil {
			t.Fatalf("after byte %d of %d: %v", done, n, err)
		}
		if !bytes.Equal(piece, want[:len(piece)]) {
			t.Fatalf("wrong bytes after byte %d of %d", done, n)
		}
	}
	if extra, err := io.ReadAll(r); len(extra) > 0 || err != nil {
		t.Errorf("after %d bytes there are %d more, %v", n, len(extra), err)
	}
}

func echo(t testing.TB, s *site) {
	const n = 4_000_000
	req := s.request(t, http.MethodPost, "do=echo", noise(n))
	req.ContentLength = n
	a := s.do(t, req)
	want, err := io.ReadAll(noise(n))
	if err != nil {
		t.Fatal(err)
	}
	a.want(t, 200, string(want))
}

// conversation reads the answer to each piece of the body before it sends the next.
func conversation(t testing.TB, s *site) {
	body, pieces := io.Pipe()
	defer pieces.Close()
	req := s.request(t, http.MethodPost, "do=echo", body)
	// Or the client would wait for the rest of the body, even when its time is over.
	defer context.AfterFunc(req.Context(), func() { body.CloseWithError(context.Cause(req.Context())) })()
	said := make(chan error, 1)
	go func() {
		_, err := io.WriteString(pieces, "hello 0\n")
		said <- err
	}()
	resp := s.begin(t, req)
	if err := <-said; err != nil {
		t.Fatal(err)
	}
	heard := bufio.NewReader(resp.Body)
	for i := range 10 {
		if got, err := heard.ReadString('\n'); got != fmt.Sprintf("hello %d\n", i) {
			t.Fatalf("answer %d is %q, %v", i, got, err)
		}
		if _, err := fmt.Fprintf(pieces, "hello %d\n", i+1); err != nil {
			t.Fatal(err)
		}
	}
	if err := pieces.Close(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(heard); string(rest) != "hello 10\n" || err != nil {
		t.Errorf("the end is %q, %v", rest, err)
	}
}
