package protocol_test

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/fcgi"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A stdlib is what net/http/fcgi made of one connection.
type stdlib struct {
	handled []handled // in the order in which the handlers returned
	output  []byte
	closed  bool // by net/http/fcgi, not by the peer
}

// handled is what one handler saw.
type handled struct {
	method string
	env    map[string]string // by fcgi.ProcessEnv
	body   string
}

// serveStdlib lets net/http/fcgi serve one connection with input on it, until nothing more happens. Its handler echoes
// the body. It runs in a bubble, so that a goroutine left behind fails the test.
func serveStdlib(t *testing.T, input []byte) (got stdlib) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) // what came before an error is what was seen
			w.Write(body)
			mu.Lock()
			defer mu.Unlock()
			got.handled = append(got.handled, handled{r.Method, fcgi.ProcessEnv(r), string(body)})
		})
		peer, conn := net.Pipe()
		l := newListener(conn)
		var wg sync.WaitGroup
		wg.Go(func() { fcgi.Serve(l, handler) })
		wg.Go(func() {
			got.output, _ = io.ReadAll(peer)
			got.closed = true
		})
		peer.Write(input) // fails where net/http/fcgi has closed the connection
		synctest.Wait()
		stillOpen := !got.closed
		peer.Close()
		l.Close()
		wg.Wait()
		got.closed = !stillOpen
	})
	return got
}

// A listener has one connection to give.
type listener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newListener(conn net.Conn) *listener {
	l := &listener{make(chan net.Conn, 1), make(chan struct{})}
	l.conns <- conn
	return l
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	close(l.closed)
	return nil
}

func (l *listener) Addr() net.Addr { return nil }

// posted is what net/http/fcgi needs in order to run a handler, in front of a test's own parameters. It takes these
// into the http.Request and out of ProcessEnv.
var posted = []string{"REQUEST_METHOD", "POST", "SERVER_PROTOCOL", "HTTP/1.1", "REQUEST_URI", "/"}

// An exchange is one request, as the two implementations have to agree on it.
type exchange struct {
	params []string // names and values in turns
	record int      // bytes of parameters in a record, 0 for all in one
	body   string
}

var agreed = []struct {
	name      string
	exchanges []exchange
	flags     uint8
}{
	{"no parameters of its own, no body", []exchange{{}}, keep},
	{"A17 short lengths", []exchange{{params: []string{"NAME", "value", "EMPTY", "", "", "nameless"}}}, keep},
	{"A17 127 and 128", []exchange{{params: []string{
		letters(127), letters(127), letters(128), "v", "n", letters(128), letters(129), letters(300),
	}}}, keep},
	{"A18 a record for each byte", []exchange{{params: []string{"NAME", letters(200)}, record: 1}}, keep},
	{"A18 a record for each 7 bytes", []exchange{{params: []string{letters(130), "value", "N", ""}, record: 7}}, keep},
	{"C3 parameters of more than a record", []exchange{{params: []string{"A", letters(40000), "B", letters(40000)}, record: 65528}}, keep},
	{"A7 a body of 1", []exchange{{body: "b"}}, keep},
	{"A3 a body of 65535", []exchange{{body: full}}, keep},
	{"A3 a body of 70000", []exchange{{body: letters(70000)}}, keep},
	{"A29 connection not kept", []exchange{{params: []string{"N", "v"}, body: "body"}}, 0},
	{"A9 three on one connection", []exchange{{params: []string{"N", "1"}, body: "one"}, {params: []string{"N", "2"}}, {body: letters(1000)}}, keep},
}

func letters(n int) string { return strings.Repeat("abcdefghijklmnopqrstuvwxyz", n/26+1)[:n] }

// The standard library reads what this package encodes, and is read by it.
func TestStdlibAgrees(t *testing.T) {
	for _, tt := range agreed {
		t.Run(tt.name, func(t *testing.T) {
			s := &sender{Conn: protocol.NewConn(protocol.WebServer, nil), t: t}
			for i, x := range tt.exchanges {
				x.send(s, uint16(i+1), tt.flags)
			}
			theirs := serveStdlib(t, s.out)
			ours := serveOurs(t, s.out)
			if len(ours) != len(tt.exchanges) || len(theirs.handled) != len(tt.exchanges) {
				t.Fatalf("%d requests, we saw %d and they %d", len(tt.exchanges), len(ours), len(theirs.handled))
			}
			for _, h := range ours {
				same := func(other handled) bool {
					return h.method == other.method && h.body == other.body && maps.Equal(h.env, other.env)
				}
				if !slices.ContainsFunc(theirs.handled, same) {
					t.Errorf("we saw %v, they saw %v", h, theirs.handled)
				}
			}
			if kept := tt.flags&keep != 0; theirs.closed == kept || s.KeepConn() != kept {
				t.Errorf("kept is %v; they closed: %v", kept, theirs.closed)
			}
			checkResponses(t, s.Conn, theirs.output, tt.exchanges)
		})
	}
}

// send sends the whole request.
func (x *exchange) send(s *sender, id uint16, flags uint8) {
	var block []byte
	all := append(slices.Clone(posted), x.params...)
	all = append(all, "CONTENT_LENGTH", fmt.Sprint(len(x.body)))
	for pair := range slices.Chunk(all, 2) {
		block = protocol.AppendPair(block, pair[0], pair[1])
	}
	s.begin(id, responder, flags)
	size := x.record
	if size == 0 {
		size = len(block)
	}
	for part := range slices.Chunk(block, size) {
		s.stream(protocol.TypeParams, id, string(part))
	}
	s.stream(protocol.TypeParams, id, "")
	if x.body != "" {
		s.stream(protocol.TypeStdin, id, x.body)
	}
	s.stream(protocol.TypeStdin, id, "")
}

// serveOurs is what this package makes of the same bytes, in the form that the standard library has it.
func serveOurs(t *testing.T, input []byte) (got []handled) {
	t.Helper()
	c := protocol.NewConn(protocol.Application, &protocol.Config{MaxParams: 1 << 20})
	type request struct{ block, body []byte }
	tr := transcript{react: func(ev protocol.Event, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Type == protocol.TypeBeginRequest {
			c.Attach(ev.RequestID, new(request))
			return
		}
		r := ev.User.(*request)
		switch {
		case ev.Type == protocol.TypeParams:
			r.block = append(r.block, ev.Data...)
		case ev.Type == protocol.TypeStdin && !ev.End:
			r.body = append(r.body, ev.Data...)
		case ev.Type == protocol.TypeStdin:
			got = append(got, asHandled(t, r.block, r.body))
		}
	}}
	tr.feed(t, c, input)
	return got
}

func asHandled(t *testing.T, block, body []byte) handled {
	t.Helper()
	h := handled{env: map[string]string{}, body: string(body)}
	for rest := string(block); rest != ""; {
		var name, value string
		var err error
		if name, value, rest, err = protocol.CutPair(rest); err != nil {
			t.Fatal(err)
		}
		switch name {
		case "REQUEST_METHOD":
			h.method = value
		case "SERVER_PROTOCOL", "REQUEST_URI", "CONTENT_LENGTH":
		default:
			h.env[name] = value
		}
	}
	return h
}

// checkResponses lets the web server's end that sent the requests read the standard library's answers.
func checkResponses(t *testing.T, c *protocol.Conn, output []byte, exchanges []exchange) {
	t.Helper()
	stdout := make(map[uint16]string)
	ended := 0
	tr := transcript{react: func(ev protocol.Event, err error) {
		switch {
		case err != nil:
			t.Error(err)
		case ev.Type == protocol.TypeStdout:
			stdout[ev.RequestID] += string(ev.Data)
		case ev.Type == protocol.TypeEndRequest && ev.End && ev.AppStatus == 0 && ev.Status == protocol.StatusRequestComplete:
			ended++
		default:
			t.Errorf("unexpected %s", describe(ev))
		}
	}}
	for part := range slices.Chunk(output, 1000) {
		tr.feed(t, c, part)
	}
	for i, x := range exchanges {
		header, body, found := strings.Cut(stdout[uint16(i+1)], "\r\n\r\n")
		if !found || !strings.HasPrefix(header, "Status: 200 OK\r\n") || body != x.body {
			t.Errorf("request %d was answered %.200q", i+1, stdout[uint16(i+1)])
		}
	}
	if ended != len(exchanges) || c.Active() != 0 || !c.Idle() {
		t.Errorf("%d of %d requests ended, %d are active", ended, len(exchanges), c.Active())
	}
}

// differences are inputs on which the two differ, and why this package does it its way.
var differences = []struct {
	name    string
	why     string
	config  *protocol.Config
	input   []record
	ours    []string // our transcript
	replies []record // ours
	theirs  []string // what they send
	handled int      // how many handlers they run
	closed  bool     // whether they close the connection
}{
	{
		name: "A20 a pair cut short",
		why:  "a program must not run on a part of its parameters",
		// They drop what they cannot read and run the handler.
		input: []record{begin(1, responder, keep), params(1, pairsPosted+"\x02\x00n"), params(1, ""), stdin(1, "")},
		ours: []string{
			"BEGIN_REQUEST 1 RESPONDER keep", piece(protocol.TypeParams, 1, pairsPosted+"\x02\x00n"),
			"connection: PARAMS 1 §3.4 name-value pair is cut short",
		},
		theirs:  answered,
		handled: 1,
	},
	{
		name:    "A22 NUL in a value",
		why:     "§6.1 bars it, and what reads it as a C string would see another value",
		input:   []record{begin(1, responder, keep), params(1, pairsPosted+nv("N", "a\x00b")), params(1, ""), stdin(1, "")},
		ours:    []string{"BEGIN_REQUEST 1 RESPONDER keep", "request: PARAMS 1 §6.1 NUL byte in a name-value pair"},
		theirs:  answered,
		handled: 1,
	},
	{
		name:   "A14 an unknown type with a request's id",
		why:    "UNKNOWN_TYPE answers management records (§4.2); nginx fails a response that has one",
		input:  []record{begin(1, responder, keep), {12, 1, "x"}},
		ours:   []string{"BEGIN_REQUEST 1 RESPONDER keep"},
		theirs: []string{"UNKNOWN_TYPE 0 8"},
	},
	{
		name:   "A15 STDOUT from a web server",
		why:    "it is a known type, in the wrong direction",
		input:  []record{begin(1, responder, keep), stdout(1, "x")},
		ours:   []string{"BEGIN_REQUEST 1 RESPONDER keep"},
		theirs: []string{"UNKNOWN_TYPE 0 8"},
	},
	{
		name:   "A16 STDIN before the end of PARAMS",
		why:    "there is no program to run yet; they run one without parameters, which answers 500",
		input:  []record{begin(1, responder, keep), stdin(1, "")},
		ours:   []string{"BEGIN_REQUEST 1 RESPONDER keep"},
		theirs: append([]string{"STDERR 1 *"}, answered...),
	},
	{
		name:    "A16 PARAMS after their end",
		why:     "the request may run already; they add to the parameters",
		input:   []record{begin(1, responder, keep), params(1, ""), params(1, pairsPosted), params(1, ""), stdin(1, "")},
		ours:    []string{"BEGIN_REQUEST 1 RESPONDER keep", "PARAMS 1 end", "STDIN 1 end"},
		theirs:  answered,
		handled: 1,
	},
	{
		name:    "A23 GET_VALUES",
		why:     "§4.1: the names that were asked for, in one record; they tell one name always, and a second, empty record",
		config:  threeValues,
		input:   []record{getValues(nv("FCGI_MAX_REQS", ""))},
		replies: []record{getValuesResult(nv("FCGI_MAX_REQS", "50"))},
		theirs:  []string{"GET_VALUES_RESULT 0 18", "GET_VALUES_RESULT 0 0"},
	},
	{
		name:    "A26 an unknown management type",
		why:     "§4.2 asks for an answer",
		input:   []record{{12, 0, "x"}},
		replies: []record{unknownType(12)},
	},
	{
		name:    "A27 BEGIN_REQUEST with id 0",
		why:     "§3.3: id 0 is for management",
		input:   []record{begin(0, responder, keep), params(0, pairsPosted), params(0, ""), stdin(0, "")},
		ours:    []string{"connection: BEGIN_REQUEST 0 §3.3 application record with request id 0"},
		theirs:  []string{"STDOUT 0 *", "STDOUT 0 0", "END_REQUEST 0 8"},
		handled: 1,
	},
	{
		name:    "A31 ABORT_REQUEST of a request that runs",
		why:     "§5.4: the response is the application's, when it has stopped; they end the request while its handler runs",
		input:   []record{begin(1, responder, keep), params(1, pairsPosted), params(1, ""), stdin(1, "part"), abort(1)},
		ours:    []string{"BEGIN_REQUEST 1 RESPONDER keep", piece(protocol.TypeParams, 1, pairsPosted), "PARAMS 1 end", `STDIN 1 "part"`, "ABORT_REQUEST 1"},
		theirs:  []string{"END_REQUEST 1 8", "STDOUT 1 *", "STDOUT 1 4", "STDOUT 1 0", "END_REQUEST 1 8"},
		handled: 1,
	},
	{
		name:   "A35 another role than responder",
		why:    "all three are offered here; who serves one says so in Config.Roles",
		input:  []record{begin(1, authorizer, keep)},
		ours:   []string{"BEGIN_REQUEST 1 AUTHORIZER keep"},
		theirs: []string{"END_REQUEST 1 8"},
	},
	{
		name:    "A35 a request too many",
		why:     "each costs memory before it has said anything; they take any number",
		config:  &protocol.Config{MaxRequests: 1},
		input:   []record{begin(1, responder, keep), begin(2, responder, keep)},
		ours:    []string{"BEGIN_REQUEST 1 RESPONDER keep"},
		replies: []record{end(2, 0, protocol.StatusCantMultiplex)},
	},
	// And faults on which both agree.
	{
		name: "A5 a wrong version", why: "the same", closed: true,
		input: []record{{protocol.TypeStdin, 9, "x"}}, ours: []string{"connection: RecordType(0) 0 §3.3 unsupported protocol version"},
	},
	{
		name: "A12 an active id", why: "the same", closed: true,
		input: []record{begin(1, responder, keep), begin(1, responder, keep)},
		ours:  []string{"BEGIN_REQUEST 1 RESPONDER keep", "connection: BEGIN_REQUEST 1 §5.1 request id is already active"},
	},
	{
		name: "A13 BEGIN_REQUEST of seven bytes", why: "the same", closed: true,
		input: []record{{protocol.TypeBeginRequest, 1, "\x00\x01\x00\x00\x00\x00\x00"}},
		ours:  []string{"connection: BEGIN_REQUEST 1 §5.1 content has the wrong length"},
	},
	{
		name: "A31 ABORT_REQUEST before the end of PARAMS", why: "the same",
		input: []record{begin(1, responder, keep), abort(1)}, ours: []string{"BEGIN_REQUEST 1 RESPONDER keep", "ABORT_REQUEST 1 end"},
		replies: []record{end(1, 0, 0)}, theirs: []string{"END_REQUEST 1 8"},
	},
}

var (
	pairsPosted = nv(posted[0], posted[1]) + nv(posted[2], posted[3]) + nv(posted[4], posted[5])
	answered    = []string{"STDOUT 1 *", "STDOUT 1 0", "END_REQUEST 1 8"}
)

func TestStdlibDiffers(t *testing.T) {
	for _, tt := range differences {
		t.Run(tt.name+": "+tt.why, func(t *testing.T) {
			input := wire(tt.input...)
			if strings.HasPrefix(tt.name, "A5 ") {
				input[0] = 2
			}
			talk := conversation{reader: protocol.Application, config: tt.config, want: tt.ours, replies: tt.replies}
			talk.play(t, "ours", input, len(input))

			theirs := serveStdlib(t, input)
			if got := recordsIn(theirs.output); !slices.EqualFunc(got, tt.theirs, matches) {
				t.Errorf("they sent %q, want %q", got, tt.theirs)
			}
			if len(theirs.handled) != tt.handled || theirs.closed != tt.closed {
				t.Errorf("they ran %d handlers and closed the connection: %v", len(theirs.handled), theirs.closed)
			}
		})
	}
}

// matches compares a record with what is wanted, where a length may be any.
func matches(got, want string) bool {
	if prefix, found := strings.CutSuffix(want, " *"); found {
		return strings.HasPrefix(got, prefix+" ")
	}
	return got == want
}

// recordsIn lists the records of a wire, each as its type, id and content length.
func recordsIn(output []byte) (records []string) {
	for len(output) >= protocol.HeaderLen {
		h := protocol.ParseHeader(output)
		records = append(records, fmt.Sprint(h.Type, " ", h.RequestID, " ", h.ContentLength))
		output = output[min(len(output), protocol.HeaderLen+int(h.ContentLength)+int(h.PaddingLength)):]
	}
	return records
}
