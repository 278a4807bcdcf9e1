// Package front is the web server in front of an example that is tested: it
// starts the program, or a server in the test's own process, sends requests and
// says what came back.
//
// It sits on package client. Only the tests of the examples import it.
package front
