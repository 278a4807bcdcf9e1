package protocol_test

import (
	"fmt"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An application's end reads a request and answers it. The bytes would come from a socket, and go to it.
func ExampleConn_Next() {
	c := protocol.NewConn(protocol.Application, nil)
	input := request()

	var output []byte
	for len(input) > 0 {
		ev, rest, err := c.Next(input)
		if err != nil {
			fmt.Println(err) // a real server ends the request, or closes the connection: see Error.Scope
			return
		}
		input = rest
		switch {
		case ev.Type == protocol.TypeBeginRequest:
			fmt.Println("request", ev.RequestID, "for a", ev.Role)
		case ev.Type == protocol.TypeParams && !ev.End:
			fmt.Printf("%d bytes of parameters\n", len(ev.Data))
		case ev.Type == protocol.TypeStdin && !ev.End:
			fmt.Printf("body: %s\n", ev.Data)
		case ev.Type == protocol.TypeStdin:
			// Both fail only where the request is not active, which it is.
			output, _ = c.Send(output, protocol.TypeStdout, ev.RequestID, []byte("Content-Type: text/plain\r\n\r\nhello"))
			output, _ = c.EndRequest(output, ev.RequestID, protocol.EndRequest{})
		}
	}
	output = c.TakeReplies(output)
	fmt.Println(len(output), "bytes to send; close the connection:", c.Done())
	// Output:
	// request 1 for a RESPONDER
	// 20 bytes of parameters
	// body: name=value
	// 65 bytes to send; close the connection: true
}

// A web server's end sends a request and reads the response.
func ExampleConn_webServer() {
	c := protocol.NewConn(protocol.WebServer, nil)

	pairs := protocol.AppendPair(nil, "REQUEST_METHOD", "POST")
	out, err := c.Begin(nil, 1, protocol.BeginRequest{Role: protocol.RoleResponder, Flags: protocol.FlagKeepConn})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, _ = c.Send(out, protocol.TypeParams, 1, pairs)
	out, _ = c.SendEnd(out, protocol.TypeParams, 1)
	out, _ = c.Send(out, protocol.TypeStdin, 1, []byte("name=value"))
	out, _ = c.SendEnd(out, protocol.TypeStdin, 1)
	fmt.Println(len(out), "bytes to send")

	for input := response(); len(input) > 0; {
		var ev protocol.Event
		if ev, input, err = c.Next(input); err != nil {
			fmt.Println(err)
			return
		}
		switch {
		case ev.Type == protocol.TypeStdout && !ev.End:
			fmt.Printf("%q\n", ev.Data)
		case ev.Type == protocol.TypeStderr && !ev.End:
			fmt.Printf("log: %s\n", ev.Data)
		case ev.Type == protocol.TypeEndRequest:
			fmt.Println(ev.Status, ev.AppStatus)
		}
	}
	fmt.Println(c.Active(), "requests are active")
	// Output:
	// 78 bytes to send
	// log: it works
	// "Content-Type: text/plain\r\n\r\nhello"
	// REQUEST_COMPLETE 0
	// 0 requests are active
}

func ExampleAppendPair() {
	block := protocol.AppendPair(nil, "QUERY_STRING", "")
	block = protocol.AppendPair(block, "REQUEST_METHOD", "GET")
	fmt.Printf("%q\n", block)
	// Output:
	// "\f\x00QUERY_STRING\x0e\x03REQUEST_METHODGET"
}

func ExampleCutPair() {
	// Out of a string, names and values are parts of it: nothing is copied.
	for rest := "\f\x00QUERY_STRING\x0e\x03REQUEST_METHODGET"; rest != ""; {
		var name, value string
		var err error
		if name, value, rest, err = protocol.CutPair(rest); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s=%s\n", name, value)
	}
	// Output:
	// QUERY_STRING=
	// REQUEST_METHOD=GET
}

// What the protocol itself owes comes out as bytes, without troubling the application.
func ExampleConn_TakeReplies() {
	c := protocol.NewConn(protocol.Application, &protocol.Config{
		Values: []protocol.Value{{Name: protocol.VarMpxsConns, Value: func() string { return "1" }}},
	})
	question := protocol.AppendGetValues(nil, protocol.VarMpxsConns, protocol.VarMaxReqs)
	ev, _, err := c.Next(question)
	fmt.Println(ev.Type == 0, err)
	fmt.Printf("%q\n", c.TakeReplies(nil))
	// Output:
	// true <nil>
	// "\x01\n\x00\x00\x00\x12\x00\x00\x0f\x01FCGI_MPXS_CONNS1"
}

// request is what a web server sends for a POST request with a short body.
func request() []byte {
	input := protocol.AppendBeginRequest(nil, 1, protocol.BeginRequest{Role: protocol.RoleResponder})
	input = protocol.AppendStream(input, protocol.TypeParams, 1, protocol.AppendPair(nil, "REQUEST_METHOD", "POST"))
	input = protocol.AppendStreamEnd(input, protocol.TypeParams, 1)
	input = protocol.AppendStream(input, protocol.TypeStdin, 1, []byte("name=value"))
	return protocol.AppendStreamEnd(input, protocol.TypeStdin, 1)
}

// response is what an application answers.
func response() []byte {
	input := protocol.AppendStream(nil, protocol.TypeStderr, 1, []byte("it works"))
	input = protocol.AppendStream(input, protocol.TypeStdout, 1, []byte("Content-Type: text/plain\r\n\r\nhello"))
	input = protocol.AppendStreamEnd(input, protocol.TypeStdout, 1)
	return protocol.AppendEndRequest(input, 1, protocol.EndRequest{})
}
