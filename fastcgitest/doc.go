// Package fastcgitest is for unit tests of FastCGI applications, as
// net/http/httptest is for those of net/http: requests, and recorders of what
// is answered.
//
//	func TestHello(t *testing.T) {
//		req := fastcgitest.NewRequest("GET", "/hello?name=joe", nil)
//		resp, err := fastcgitest.Serve(t.Context(), hello, req)
//		if err != nil {
//			t.Fatal(err)
//		}
//		if string(resp.Body) != "hello, joe\n" {
//			t.Errorf("the body is %q", resp.Body)
//		}
//	}
//
// [Serve], [ServeAsync], [Authorize], [Filter] and [ServeHTTP] are for one handler
// of each kind, [Do] for a whole [fastcgi.Server] with its settings. [Start] is Do
// step by step, for handlers that stream or are to be aborted. [NewRecorder] and
// [NewAsyncRecorder] hand what a handler gets to the test itself.
//
// Nothing is imitated: each request goes through a Server, over a connection in
// memory. What a test sees is what a web server would. No sockets, files or
// clocks are involved, so everything works in a bubble of testing/synctest too.
//
// Everything lasts as long as the context that it was started with at most. That
// of a test, testing.T.Context, ends before the test's cleanup.
//
// The package sits on package fastcgi, on protocol for the web server's end, and
// on internal/cgi. It does not import testing.
package fastcgitest
