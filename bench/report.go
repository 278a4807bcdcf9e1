//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// A report is all that a run found.
type report struct {
	Machine  harness.Machine   `json:"machine"`
	Programs map[string]string `json:"programs"` // versions
	Results  []result          `json:"results"`
	Gaps     []remark          `json:"gaps"`    // work that a peer cannot do
	Missing  []remark          `json:"missing"` // peers that cannot be had
	Failed   []remark          `json:"failed"`
}

// A remark says why there is no result.
type remark struct {
	Work   string `json:"work,omitempty"`
	Peer   string `json:"peer"`
	Reason string `json:"reason"`
}

// A result is what one peer needed for one kind of work.
type result struct {
	Work string `json:"work"`
	Peer string `json:"peer"`
	figures
	Ratio float64 `json:"ratio_to_floor,omitempty"`
}

// figures are what is measured. Those that a work has not are zero.
type figures struct {
	Requests int           `json:"requests"`
	CPU      time.Duration `json:"cpu_per_request_ns,omitempty"`
	Rate     float64       `json:"requests_per_second,omitempty"`
	P50      time.Duration `json:"p50_ns,omitempty"`
	P99      time.Duration `json:"p99_ns,omitempty"`
	Peak     int64         `json:"peak_memory_bytes"`
	Each     int64         `json:"memory_each_bytes,omitempty"`
}

func (f figures) String() string {
	if f.CPU == 0 {
		return fmt.Sprintf("%s each of %d", harness.Size(f.Each), f.Requests)
	}
	return fmt.Sprintf("%s a request, p99 %s, of %d", harness.Duration(f.CPU), harness.Duration(f.P99), f.Requests)
}

// add notes a result. The floor is the first of each work.
func (r *report) add(res result) {
	for _, other := range r.Results {
		if other.Work == res.Work && other.Peer == peers[0].name && other.CPU > 0 {
			res.Ratio = float64(res.CPU) / float64(other.CPU)
		}
	}
	if res.Peer == peers[0].name && res.CPU > 0 {
		res.Ratio = 1
	}
	r.Results = append(r.Results, res)
}

// of are the results of a work.
func (r *report) of(workID string) (results []result) {
	for _, res := range r.Results {
		if res.Work == workID {
			results = append(results, res)
		}
	}
	return results
}
