package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// maxRedirects is how often a request may be redirected in here.
const maxRedirects = 10

// redirectsKey is the context's key for how often that was.
type redirectsKey struct{}

// redirect answers with what another path would: the application said
// "Location: /path" and nothing else (RFC 3875 §6.2.2).
func (x *exchange) redirect(a answer, location string) error {
	if len(a.Header) > 1 {
		return fmt.Errorf("local redirect to %q with further header fields and no Status", location)
	}
	if n, err := io.Copy(io.Discard, io.LimitReader(a.body, 1)); n > 0 {
		return fmt.Errorf("local redirect to %q with a body", location)
	} else if err != nil {
		return err
	}
	r, err := redirected(x.r, location)
	if err != nil {
		return err
	}
	x.closeAfterReply()
	x.body.close()
	next := x.handler.LocalRedirect
	if next == nil {
		next = x.handler
	}
	next.ServeHTTP(x.w, r)
	return nil
}

// redirected returns the request for location: a GET, or HEAD, without a body.
func redirected(r *http.Request, location string) (*http.Request, error) {
	count, _ := r.Context().Value(redirectsKey{}).(int)
	if count >= maxRedirects {
		return nil, errors.New("too many local redirects")
	}
	u, err := url.ParseRequestURI(location)
	if err != nil {
		return nil, fmt.Errorf("local redirect: %w", err)
	}
	next := r.Clone(context.WithValue(r.Context(), redirectsKey{}, count+1))
	if next.Method != http.MethodHead {
		next.Method = http.MethodGet
	}
	next.URL.Path, next.URL.RawPath, next.URL.RawQuery = u.Path, u.RawPath, u.RawQuery
	next.RequestURI = location
	next.Body, next.ContentLength, next.TransferEncoding = http.NoBody, 0, nil
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding"} {
		next.Header.Del(name)
	}
	return next, nil
}
