package client_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// liars is how many requests meet a lying application.
const liars = 4

// FuzzMultiplexedClient holds that whatever an application says on a shared connection, nothing that is meant for one request
// reaches another, what waits stays bounded, and every request comes to an end: by what is said, or by the end of its context.
//
// Each three bytes of said are a record, and manners says what each of the requests does: read, not read, close or cancel.
func FuzzMultiplexedClient(f *testing.F) {
	for _, said := range []string{
		"", "\x00\x01\x10\x00\x02\x10\x04\x01\x00\x04\x02\x00", "\x00\x01\xff\x00\x01\xff\x00\x01\xff\x04\x01\x00",
		"\x04\x01\x00\x04\x01\x00\x04\x02\x00", "\x03\x01\xff\x03\x01\xff\x03\x02\xff\x04\x02\x00", "\x07\x01\x20\x04\x01\x00",
		"\x04\x01\x01\x04\x02\x02\x04\x03\x03", "\x05\x02\x08\x05\x00\x00\x06\x01\x09\x06\x07\x00\x04\x01\x00",
		strings.Repeat("\x00\x01\xff", 40) + strings.Repeat("\x03\x02\xff", 20) + "\x04\x01\x00\x04\x02\x00\x04\x03\x00\x04\x04\x00",
	} {
		f.Add([]byte(said), uint8(0))
		f.Add([]byte(said), uint8(0b11100100))
	}
	f.Fuzz(func(t *testing.T, said []byte, manners uint8) {
		if len(said) > 300 {
			return
		}
		synctest.Test(t, func(t *testing.T) { lie(t, said, manners) })
	})
}

func lie(t *testing.T, said []byte, manners uint8) {
	c := &client.Client{Multiplex: client.MultiplexOn, SpoolLimit: 1 << 20, SpoolDir: t.TempDir(), MaxRequestsPerConn: 64}
	d := newDisk()
	c.SetSpool(d.create)
	c.Dial = func(context.Context) (net.Conn, error) {
		here, there := net.Pipe()
		go io.Copy(io.Discard, there)
		go func() {
			defer there.Close()
			time.Sleep(time.Second) // until all requests are there
			for p := said; len(p) >= 3; p = p[3:] {
				if _, err := there.Write(lieOf(p[0], p[1], p[2])); err != nil {
					return
				}
				if p[0]%8 == 7 {
					break // whatever follows would be the rest of that
				}
			}
			time.Sleep(time.Hour) // and then nothing: contexts end
		}()
		return here, nil
	}
	ended := make(chan error, liars)
	for i := range liars {
		go func() { ended <- endure(t, c, i, manners>>(2*i)&3) }()
		synctest.Wait()
	}
	for range liars {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	c.Close()
	synctest.Wait()
	if n := d.open(); n != 0 {
		t.Errorf("%d files are left", n)
	}
	if d.most > 4<<20 {
		t.Errorf("%d bytes on disk", d.most)
	}
	time.Sleep(2 * time.Hour)
}

// lieOf returns a record, or a half. What is for request id consists of its digit.
func lieOf(kind, id, n byte) []byte {
	rid := uint16(id%(liars+2)) + uint16(kind>>7)*uint16(id)*256 // 0 and others that do not exist included
	content := bytes.Repeat([]byte{'0' + byte(rid%10)}, int(n)*256)
	if rid == 0 || rid > liars {
		content = bytes.Repeat([]byte{'!'}, len(content))
	}
	switch kind % 8 {
	case 0, 1, 2:
		return protocol.AppendRecord(nil, protocol.TypeStdout, rid, content[:min(len(content), 65000)])
	case 3:
		return protocol.AppendRecord(nil, protocol.TypeStderr, rid, content[:min(len(content), 65000)])
	case 4:
		return protocol.AppendEndRequest(nil, rid, protocol.EndRequest{Status: protocol.Status(n % 5)})
	case 5:
		return protocol.AppendUnknownType(protocol.AppendStreamEnd(nil, protocol.TypeStdout, rid), 9)
	case 6:
		b := protocol.AppendHeader(nil, protocol.Header{Type: protocol.TypeStdout, RequestID: rid, ContentLength: 1, PaddingLength: n})
		b = append(b, '0'+byte(rid%10))
		if rid > liars {
			b[8] = '!'
		}
		return append(b, bytes.Repeat([]byte{'!'}, int(n))...)
	default:
		return protocol.AppendRecord(nil, protocol.RecordType(n%16), rid, content)[:1+int(n)%16]
	}
}

// endure is a request to a lying application. It returns what was wrong with what came of it.
func endure(t *testing.T, c *client.Client, i int, manner uint8) error {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if manner == 3 {
		ctx, cancel = context.WithTimeout(ctx, time.Second)
		defer cancel()
	}
	var stderr bytes.Buffer
	req := get()
	req.Stdin = io.MultiReader() // it cannot be sent again, so that its id is known
	req.Stderr = &stderr
	resp, err := c.Do(ctx, req)
	if err != nil {
		return nil
	}
	var body []byte
	switch manner {
	case 1:
		time.Sleep(30 * time.Second)
		body, _ = io.ReadAll(resp)
	case 2:
		resp.Close()
		resp.Wait()
	default:
		body, _ = io.ReadAll(resp)
	}
	resp.Close()
	digit := fmt.Sprint(i + 1)
	for name, b := range map[string][]byte{"STDOUT": body, "STDERR": stderr.Bytes()} {
		if s := strings.Trim(string(b), digit); s != "" {
			return fmt.Errorf("request %s has %s of another: %q", digit, name, clip(s))
		}
	}
	return nil
}
