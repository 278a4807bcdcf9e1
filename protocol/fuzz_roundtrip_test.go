package protocol_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// FuzzRoundTrip lets a program of random commands drive both ends of a connection, with any part of what they sent
// still on its way. Each command is taken exactly if the protocol allows it in that moment; what arrives is what was
// sent; nobody sees an error; and when everybody has finished, nothing is left.
func FuzzRoundTrip(f *testing.F) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 0))
		f.Add([]byte(noise(rng, 300<<(seed/2))), seed)
	}
	// One request of each role from its beginning to its end, in order.
	f.Add([]byte{
		begins, 0, 0, sendsParams, 0, 255, endsParams, 0, 0, sendsStdin, 0, 9, endsStdin, 0, 0, toApplication, 0, 255,
		sendsStdout, 0, 9, sendsStderr, 0, 9, endsRequest, 0, 9, toWebServer, 0, 255,
		begins, 1, 1, endsParams, 1, 0, begins, 2, 2, endsParams, 2, 0, endsStdin, 2, 0, sendsData, 2, 200, endsData, 2, 0,
		toApplication, 0, 255, endsRequest, 2, 0, aborts, 1, 0, toApplication, 0, 255, toWebServer, 0, 255,
	}, uint64(0))
	f.Fuzz(func(t *testing.T, program []byte, seed uint64) {
		w := newWorld(t, seed)
		for ; len(program) >= 3; program = program[3:] {
			w.step(program[0]%commands, 1+uint16(program[1]%20), program[2])
		}
		w.finish()
	})
}

// The commands of a program. Each is followed by a byte for the id and one for a size or another choice.
const (
	begins byte = iota
	sendsParams
	endsParams
	sendsStdin
	endsStdin
	sendsData
	endsData
	aborts
	sendsStdout
	endsStdout
	sendsStderr
	endsStderr
	endsRequest
	asksValues
	toApplication
	toWebServer
	commands // how many there are
)

// A call is one request and its response, as both ends should see it.
type call struct {
	id    uint16
	role  protocol.Role
	block []byte // of parameters, what is not yet sent

	sent, got map[protocol.RecordType][]byte // what each stream carries
	ended     map[protocol.RecordType]bool   // the streams that their sender has ended
	sees      map[protocol.RecordType]bool   // the streams whose end was seen
	aborted   bool
	answered  bool // the application has ended it, or never took it
	end       protocol.EndRequest
}

// A world is two ends and what is on its way between them.
type world struct {
	t                          *testing.T
	rng                        *rand.Rand
	webServer, application     *protocol.Conn
	toApplication, toWebServer []byte
	calls                      map[uint16]*call // active at the web server's end
	served                     map[uint16]*call // active at the application's
	asked, told                int              // GET_VALUES
}

// atOnce is how many requests a world's application takes: enough for an index, too few for all ids.
const atOnce = 18

func newWorld(t *testing.T, seed uint64) *world {
	return &world{
		t:         t,
		rng:       rand.New(rand.NewPCG(seed, 0)),
		webServer: protocol.NewConn(protocol.WebServer, nil),
		application: protocol.NewConn(protocol.Application, &protocol.Config{
			MaxRequests: atOnce, MaxParams: 1 << 20, MaxPairs: 1 << 20, Values: threeValues.Values,
		}),
		calls:  make(map[uint16]*call),
		served: make(map[uint16]*call),
	}
}

func (w *world) step(cmd byte, id uint16, n byte) {
	switch cmd {
	case begins:
		w.begin(id, protocol.Role(1+n%3))
	case sendsParams, endsParams:
		w.params(id, cmd == endsParams, int(n))
	case sendsStdin, endsStdin:
		w.request(protocol.TypeStdin, id, cmd == endsStdin, w.content(n))
	case sendsData, endsData:
		w.request(protocol.TypeData, id, cmd == endsData, w.content(n))
	case aborts:
		w.abort(id)
	case sendsStdout, endsStdout:
		w.respond(protocol.TypeStdout, id, cmd == endsStdout, w.content(n))
	case sendsStderr, endsStderr:
		w.respond(protocol.TypeStderr, id, cmd == endsStderr, w.content(n))
	case endsRequest:
		w.end(id, uint32(n))
	case asksValues:
		w.toApplication = protocol.AppendGetValues(w.toApplication, protocol.VarMaxReqs)
		w.asked++
	case toApplication:
		w.arriveAtApplication(int(n) * int(n))
	case toWebServer:
		w.arriveAtWebServer(int(n) * int(n))
	}
}

// content is never empty: that would be another command.
func (w *world) content(n byte) []byte {
	size := 1 + int(n)
	if n > 250 {
		size = 65500 + w.rng.IntN(100)
	}
	return []byte(noise(w.rng, size))
}

// check states that a command was taken exactly if it was legal.
func (w *world) check(what string, id uint16, legal bool, err error) {
	w.t.Helper()
	if (err == nil) != legal {
		w.t.Fatalf("%s of request %d: legal is %v, the answer was %v", what, id, legal, err)
	}
}

func (w *world) begin(id uint16, role protocol.Role) {
	out, err := w.webServer.Begin(w.toApplication, id, protocol.BeginRequest{Role: role, Flags: keep})
	w.check("begin", id, w.calls[id] == nil, err)
	w.toApplication = out
	if err != nil {
		return
	}
	c := &call{
		id: id, role: role,
		sent: map[protocol.RecordType][]byte{}, got: map[protocol.RecordType][]byte{},
		ended: map[protocol.RecordType]bool{}, sees: map[protocol.RecordType]bool{},
	}
	for range w.rng.IntN(10) {
		c.block = protocol.AppendPair(c.block, noName(w.rng, w.rng.IntN(200)), noName(w.rng, w.rng.IntN(300)))
	}
	w.calls[id] = c
	w.webServer.Attach(id, c)
}

// params sends a part of the request's parameters, or all that is left and the end.
func (w *world) params(id uint16, end bool, n int) {
	var part []byte
	if c := w.calls[id]; c != nil {
		part = c.block[:min(len(c.block), n+1)]
		if end {
			part = c.block
		}
		if !c.aborted {
			c.block = c.block[len(part):]
		}
	}
	if len(part) > 0 {
		w.request(protocol.TypeParams, id, false, part)
	}
	if end {
		w.request(protocol.TypeParams, id, true, nil)
	}
}

// request sends a record of a request's stream.
func (w *world) request(t protocol.RecordType, id uint16, end bool, p []byte) {
	c := w.calls[id]
	out, err := send(w.webServer, w.toApplication, t, id, end, p)
	w.check(t.String(), id, c != nil && c.mayRequest(t, end), err)
	w.toApplication = out
	if err == nil {
		c.sends(t, end, p)
	}
}

func send(c *protocol.Conn, dst []byte, t protocol.RecordType, id uint16, end bool, p []byte) ([]byte, error) {
	if end {
		return c.SendEnd(dst, t, id)
	}
	return c.Send(dst, t, id, p)
}

// mayRequest says whether a stream is open: PARAMS, then STDIN, then DATA, as far as the role has them.
func (c *call) mayRequest(t protocol.RecordType, end bool) bool {
	if c.aborted || c.ended[t] {
		return false
	}
	switch t {
	case protocol.TypeStdin:
		return c.ended[protocol.TypeParams] && (c.role != authorizer || end)
	case protocol.TypeData:
		return c.ended[protocol.TypeStdin] && c.role == filter
	}
	return true
}

func (c *call) sends(t protocol.RecordType, end bool, p []byte) {
	if end {
		c.ended[t] = true
		return
	}
	c.sent[t] = append(c.sent[t], p...)
}

// sentWhole says whether the web server owes nothing more.
func (c *call) sentWhole() bool {
	last := map[protocol.Role]protocol.RecordType{
		responder: protocol.TypeStdin, authorizer: protocol.TypeParams, filter: protocol.TypeData,
	}
	return c.ended[last[c.role]] && !c.aborted
}

func (w *world) abort(id uint16) {
	c := w.calls[id]
	out, err := w.webServer.Abort(w.toApplication, id)
	w.check("abort", id, c != nil && !c.aborted, err)
	w.toApplication = out
	if err == nil {
		c.aborted = true
	}
}

// respond sends a record of a response's stream.
func (w *world) respond(t protocol.RecordType, id uint16, end bool, p []byte) {
	c := w.served[id]
	out, err := send(w.application, w.toWebServer, t, id, end, p)
	w.check(t.String(), id, c != nil && !c.ended[t], err)
	w.toWebServer = out
	if err == nil {
		c.sends(t, end, p)
	}
}

func (w *world) end(id uint16, app uint32) {
	c := w.served[id]
	e := protocol.EndRequest{AppStatus: app}
	out, err := w.application.EndRequest(w.toWebServer, id, e)
	w.check("the end", id, c != nil, err)
	w.toWebServer = out
	if err != nil {
		return
	}
	c.answered, c.end = true, e
	c.ended[protocol.TypeStdout] = true
	c.ended[protocol.TypeStderr] = c.ended[protocol.TypeStderr] || len(c.sent[protocol.TypeStderr]) > 0
	delete(w.served, id)
}

// arriveAtApplication moves n bytes, and what the protocol answers to them.
func (w *world) arriveAtApplication(n int) {
	n = min(n, len(w.toApplication))
	w.arrive(w.application, w.toApplication[:n], w.applicationSees)
	w.toApplication = w.toApplication[n:]
	w.toWebServer = w.application.TakeReplies(w.toWebServer)
}

func (w *world) arriveAtWebServer(n int) {
	n = min(n, len(w.toWebServer))
	w.arrive(w.webServer, w.toWebServer[:n], w.webServerSees)
	w.toWebServer = w.toWebServer[n:]
}

func (w *world) arrive(c *protocol.Conn, p []byte, sees func(protocol.Event)) {
	for len(p) > 0 {
		ev, rest, err := c.Next(p)
		checkNext(w.t, p, ev, rest, err)
		if err != nil {
			w.t.Fatal(err)
		}
		if ev.Type != 0 {
			sees(ev)
		}
		p = rest
	}
}

func (w *world) applicationSees(ev protocol.Event) {
	if ev.Type == protocol.TypeBeginRequest {
		c := w.calls[ev.RequestID]
		if ev.Role != c.role || !ev.KeepConn {
			w.t.Fatalf("request %d began as %v", c.id, ev.Role)
		}
		w.served[c.id] = c
		w.application.Attach(c.id, c)
		return
	}
	c := w.served[ev.RequestID]
	if c == nil || ev.User != c {
		w.t.Fatalf("%v of request %d, which the application does not serve", ev.Type, ev.RequestID)
	}
	if ev.Type == protocol.TypeAbortRequest {
		if ev.End == c.sees[protocol.TypeParams] {
			w.t.Fatalf("aborted with the end of PARAMS seen %v: %+v", c.sees[protocol.TypeParams], ev)
		}
		if ev.End {
			c.answered = true
			delete(w.served, c.id)
		}
		return
	}
	w.sees(c, ev)
}

// sees takes a piece of a stream, or compares the whole at its end.
func (w *world) sees(c *call, ev protocol.Event) {
	c.got[ev.Type] = append(c.got[ev.Type], ev.Data...)
	if c.sees[ev.Type] {
		w.t.Fatalf("%v of request %d goes on after its end", ev.Type, c.id)
	}
	if !ev.End {
		return
	}
	c.sees[ev.Type] = true
	if !c.ended[ev.Type] || !bytes.Equal(c.got[ev.Type], c.sent[ev.Type]) {
		w.t.Fatalf("%v of request %d: got %d bytes, sent %d", ev.Type, c.id, len(c.got[ev.Type]), len(c.sent[ev.Type]))
	}
}

func (w *world) webServerSees(ev protocol.Event) {
	switch ev.Type {
	case protocol.TypeGetValuesResult:
		if string(ev.Name) != protocol.VarMaxReqs || string(ev.Data) != "50" || !ev.End {
			w.t.Fatalf("the answer was %q=%q", ev.Name, ev.Data)
		}
		w.told++
		return
	case protocol.TypeUnknownType:
		w.t.Fatalf("the application does not know %v", ev.Unknown)
	}
	c := w.calls[ev.RequestID]
	if c == nil || ev.User != c {
		w.t.Fatalf("%v of request %d, which the web server did not begin", ev.Type, ev.RequestID)
	}
	if ev.Type != protocol.TypeEndRequest {
		w.sees(c, ev)
		return
	}
	delete(w.calls, c.id)
	w.compareResponse(c, ev)
}

func (w *world) compareResponse(c *call, ev protocol.Event) {
	if ev.Status == protocol.StatusOverloaded && !c.answered && len(c.got) == 0 {
		return
	}
	if !c.answered || (protocol.EndRequest{AppStatus: ev.AppStatus, Status: ev.Status}) != c.end {
		w.t.Fatalf("request %d ended with %+v, want %+v", c.id, ev, c.end)
	}
	if ev.End != c.sentWhole() {
		w.t.Fatalf("request %d: sent whole is %v", c.id, ev.End)
	}
	for _, t := range []protocol.RecordType{protocol.TypeStdout, protocol.TypeStderr} {
		if !bytes.Equal(c.got[t], c.sent[t]) {
			w.t.Fatalf("%v of request %d: got %d bytes, sent %d", t, c.id, len(c.got[t]), len(c.sent[t]))
		}
	}
}

// finish sends, answers and delivers all that is still due.
func (w *world) finish() {
	const all = 1 << 30
	for id, c := range w.calls {
		if !c.aborted && !c.ended[protocol.TypeParams] {
			w.params(id, true, 0)
		}
	}
	w.arriveAtApplication(all)
	for id := range w.served {
		w.end(id, 0)
	}
	w.arriveAtWebServer(all)
	for _, c := range []*protocol.Conn{w.webServer, w.application} {
		if c.Active() != 0 || !c.Idle() || c.HasReplies() || c.Done() {
			w.t.Errorf("left: %d active requests, Idle %v, HasReplies %v", c.Active(), c.Idle(), c.HasReplies())
		}
	}
	if len(w.calls) > 0 || len(w.served) > 0 || w.asked != w.told {
		w.t.Errorf("left: %d calls, %d served, asked %d times and told %d", len(w.calls), len(w.served), w.asked, w.told)
	}
}
