package interop

// A Cell is how one scenario went behind one web server: a line of the file that FASTCGI_MATRIX names, in JSON.
type Cell struct {
	Server   string  `json:"server"` // as its page in docs is called
	Column   string  `json:"column"` // of the matrix: the web server, or one of its modules
	Version  string  `json:"version"`
	Setup    string  `json:"setup"`
	Driver   string  `json:"driver"`
	Mode     string  `json:"mode"`
	Scenario string  `json:"scenario"`
	Outcome  Outcome `json:"outcome"`
	Reason   string  `json:"reason,omitempty"` // of a limit
	Seconds  float64 `json:"seconds"`
	// Learned is how many seconds it took the application to learn that its client had left; 0 in other scenarios.
	Learned float64 `json:"learned,omitempty"`
}

// An Outcome is how a scenario went.
type Outcome string

// The outcomes.
const (
	Pass  Outcome = "pass"
	Fail  Outcome = "fail"
	Limit Outcome = "limit" // of the web server, whatever application is behind it
)
