package client

import "context"

// A Doer asks an application, as a *Client does, or one of several, as a *Balancer.
type Doer interface {
	// Do sends a request and returns the response, which must be closed, as
	// Client.Do does.
	Do(ctx context.Context, req *Request) (*Response, error)
}

var (
	_ Doer = (*Client)(nil)
	_ Doer = (*Balancer)(nil)
)
