package interop

// A RestartRun is how requests fared behind one web server while the application was restarted: a line of the file that
// FASTCGI_RESTARTS names, in JSON.
type RestartRun struct {
	Page     string `json:"page"`   // of the web server, in docs
	Column   string `json:"column"` // its name, as in the matrix
	Version  string `json:"version"`
	Config   string `json:"config"` // as the page prints it
	Mode     string `json:"mode"`   // the kind of the application's handlers
	Method   string `json:"method"`
	Clients  int    `json:"clients"`
	Requests int    `json:"requests"`
	Restarts int    `json:"restarts"`
	// Failures counts the requests that had another answer than the right one, or none, by what the client saw.
	Failures map[string]int `json:"failures,omitempty"`
	// Longest is how many seconds a request took at most, Ended how many an old process took to end after its signal.
	Longest float64 `json:"longest"`
	Ended   float64 `json:"ended"`
	// Streams were open when the application was restarted; Orderly is how many of them ended with their last line.
	Streams int    `json:"streams,omitempty"`
	Orderly int    `json:"orderly,omitempty"`
	Date    string `json:"date"`
	Go      string `json:"go"`
	CPUs    int    `json:"cpus"`
}

// Failed returns how many requests failed.
func (r RestartRun) Failed() int {
	n := 0
	for _, times := range r.Failures {
		n += times
	}
	return n
}
