package client

import "context"

// A Doer asks an application, or one of several. A *Client is one.
type Doer interface {
	// Do sends a request and returns the response, which must be closed, as
	// Client.Do does.
	Do(ctx context.Context, req *Request) (*Response, error)
}

var _ Doer = (*Client)(nil)
