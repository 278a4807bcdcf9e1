package interop_test

import "testing"

// The peer passes what the probe does behind a web server that can do almost everything, so where it fails behind
// another one, that is not for want of trying.
func TestPeer(t *testing.T) {
	t.Parallel()
	nginx.find(t)
	p := newPlace(t)
	restart := application{program: buildPeer(t)}.listen(t, "unix:"+p.socket)
	s := nginxSite(t, p, true, false)
	s.restart = restart
	runScenarios(t, s)
}
