package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/simple-fastcgi/fastcgi/internal/supervise"
)

// longestName is how much of an application's name stands in front of its lines.
const longestName = 16

// A journal tells what happens, to a person or to a program: either as lines with the name of who speaks in front, or
// as JSON objects, one a line, with the same text in them.
type journal struct {
	person  io.Writer
	program *json.Encoder // instead of person, unless nil
	paint   paint
	app     string // the application's name, in front of its lines
	several bool   // there are several workers, so its lines need numbers
	width   int    // of the longest name in front

	mu sync.Mutex // for writing
}

// eventOutput is the event of a line that a worker wrote; all others are this tool's own.
const eventOutput = "output"

// An entry is one line of a journal. Its fields are the JSON that programs read.
type entry struct {
	Time   time.Time `json:"time"`
	Event  string    `json:"event"` // ready, started, output, ended, warning, draining, stopped, failed
	Worker int       `json:"worker,omitempty"`
	PID    int       `json:"pid,omitempty"`
	URL    string    `json:"url,omitempty"`
	Text   string    `json:"text"`
}

func newJournal(o *serveOptions, stdout, stderr io.Writer) *journal {
	app := printable(filepath.Base(o.command[0]))
	if len(app) > longestName {
		app = strings.ToValidUTF8(app[:longestName], "")
	}
	j := &journal{person: stderr, paint: paintFor(stderr), app: app, several: o.workers > 1}
	if o.json {
		j.program = json.NewEncoder(stdout)
		j.program.SetEscapeHTML(false)
	}
	j.width = max(len("fcgi"), utf8.RuneCountInString(j.name(o.workers)))
	return j
}

// ready is for when the application can be used.
func (j *journal) ready(url, command string, caps capabilities) {
	text := command + " answers at " + url
	switch {
	case caps.isSilent():
		text = command + " runs, and has not answered yet; " + url + " waits for it"
	case caps.err != nil: // it closed the connection, which is an answer too
		text = command + " is at " + url
	}
	j.write(entry{Event: "ready", URL: url, Text: text})
	if caps.isForeign() {
		j.warn(command + " does not speak FastCGI as it should: " + caps.err.Error())
	}
	if j.program == nil {
		j.write(entry{Text: "Ctrl-C finishes what is under way and stops; a second Ctrl-C stops at once"})
	}
}

func (j *journal) draining(active int64) {
	text := "stopping"
	if active > 0 {
		text = "finishing " + count(active, "request") + "; Ctrl-C again stops at once"
	}
	if j.paint {
		fmt.Fprint(j.person, "\r") // over the ^C that the terminal has put there
	}
	j.write(entry{Event: "draining", Text: text})
}

func (j *journal) stopped() { j.write(entry{Event: "stopped", Text: "stopped"}) }

func (j *journal) warn(text string) { j.write(entry{Event: "warning", Text: text}) }

// failed is for programs; a person finds the error below the journal.
func (j *journal) failed(err error) {
	if j.program != nil {
		j.write(entry{Event: "failed", Text: err.Error()})
	}
}

// started is for programs; a person was told what is about to start.
func (j *journal) started(ev supervise.Event) {
	if j.program != nil {
		j.write(entry{Event: "started", Worker: ev.Worker, PID: ev.PID, Text: "started"})
	}
}

func (j *journal) ended(ev supervise.Event) {
	j.write(entry{
		Event: "ended", Worker: ev.Worker, PID: ev.PID,
		Text: fmt.Sprintf("%s %s; starting it again in %v", j.name(ev.Worker), describeEnd(ev.Err), ev.Restart),
	})
}

func (j *journal) output(ev supervise.Event) {
	j.write(entry{Event: eventOutput, Worker: ev.Worker, PID: ev.PID, Text: ev.Line})
}

// standard is a log for what insists on one. Its lines are warnings.
func (j *journal) standard() *log.Logger { return log.New(warnings{j}, "", 0) }

type warnings struct{ *journal }

func (w warnings) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		w.warn(strings.TrimSuffix(line, "\n"))
	}
	return len(p), nil
}

// write writes one line.
func (j *journal) write(e entry) {
	e.Text = printable(e.Text) // in JSON as well, which has no way to write what is not UTF-8
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.program != nil {
		e.Time = time.Now()
		j.program.Encode(e)
		return
	}
	name, colour := "fcgi", j.paint.own
	switch e.Event {
	case eventOutput:
		name, colour = j.name(e.Worker), func(s string) string { return j.paint.other(e.Worker, s) }
	case "ended", "warning":
		colour = j.paint.bad
	}
	if e.URL != "" {
		e.Text = strings.Replace(e.Text, e.URL, j.paint.link(e.URL), 1)
	}
	fmt.Fprintf(j.person, "%s | %s\n", colour(fmt.Sprintf("%-*s", j.width, name)), e.Text)
}

// name is what stands in front of a worker's lines; 0 is for when it is not known which one it was.
func (j *journal) name(worker int) string {
	if j.several && worker > 0 {
		return j.app + " " + strconv.Itoa(worker)
	}
	return j.app
}
