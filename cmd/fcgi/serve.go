package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

const (
	defaultListen  = "127.0.0.1:8080"
	defaultDrain   = 30 * time.Second
	defaultWorkers = 1

	// maxWorkers is more than any machine wants, and few enough for a mistyped number to do no harm.
	maxWorkers = 1024
)

// serveOptions are what the arguments of fcgi serve say.
type serveOptions struct {
	command   []string
	listen    string
	root      string
	extension string
	workers   int
	drain     time.Duration // after resolve, 0 is no limit
	json      bool
}

func newServe() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:     "serve [flags] -- COMMAND [ARG...]",
		GroupID: groupApplications,
		Short:   "run an application, and put HTTP in front of it",
		Long: `COMMAND is started with a listening socket as its file descriptor 0, as FastCGI has it, and started
again when it dies. What it writes to its standard error is shown, with its name in front.

Ctrl-C finishes the requests under way and stops; a second Ctrl-C stops at once. The exit code is 0
when every request was finished, 1 when something went wrong, and 2 when the arguments did.

In every number, zero means the default, and below zero means no limit; --workers needs one.`,
		Example: `  fcgi serve -- ./app
  fcgi serve --listen :9000 --workers 4 -- ./app -verbose
  fcgi serve --root public -- ./app            # the files in public/ first, the rest from ./app
  fcgi serve --root public --extension .php -- php-cgi
  fcgi serve --json -- ./app | jq .text        # the log, for a program`,
		Args: func(_ *cobra.Command, args []string) error { return o.check(args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			o.command = args
			o.resolve()
			return serve(cmd.Context(), &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.SetInterspersed(false) // what follows COMMAND is its own
	flags.StringVar(&o.listen, "listen", defaultListen, "serve HTTP on `HOST:PORT`; port 0 picks a free one")
	flags.StringVar(&o.root, "root", "", "serve the files under `DIR`, dot files excepted; the application gets all other requests")
	flags.StringVar(&o.extension, "extension", "", "run the files under --root that end in `EXT`, rather than serve them, as for .php; /index with EXT gets the paths that name no file")
	flags.IntVarP(&o.workers, "workers", "n", defaultWorkers, "run the application `N` times, on one socket")
	flags.DurationVar(&o.drain, "drain", defaultDrain, "how `LONG` requests may go on after Ctrl-C")
	flags.BoolVar(&o.json, "json", false, "print the log on standard output, a JSON object a line")
	cmd.MarkFlagDirname("root")
	return cmd
}

// check finds what is wrong with the arguments before anything is started.
func (o *serveOptions) check(command []string) error {
	switch {
	case len(command) == 0:
		return misused("serve was not told which application to run", "Name it after two dashes, as in: fcgi serve -- ./app")
	case o.extension != "" && o.root == "":
		return misused("--extension says which files are scripts, and --root, which says where they are, is missing", "As in: fcgi serve --root public --extension .php -- php-cgi")
	case o.extension != "" && !strings.HasPrefix(o.extension, "."):
		return misused("--extension is "+strconv.Quote(o.extension), "It begins with a dot, as in: --extension .php")
	case o.workers < 0 || o.workers > maxWorkers:
		return misused(fmt.Sprintf("--workers is %d", o.workers), fmt.Sprintf("It can be 1 to %d.", maxWorkers))
	}
	return nil
}

// resolve replaces zeros with the defaults, and what is below with no limit.
func (o *serveOptions) resolve() {
	o.workers = limit.Of(o.workers, defaultWorkers, 0) // check refuses what is below
	o.drain = limit.Of(o.drain, defaultDrain, 0)
}

// serve runs the application and the HTTP server until it is told to stop, or one of them fails.
func serve(ctx context.Context, o *serveOptions, stdout, stderr io.Writer) error {
	stop := watchSignals(ctx)
	defer stop.release()
	log := newJournal(o, stdout, stderr)
	err := o.serve(stop, log)
	if err != nil {
		log.failed(err)
	}
	return err
}

// serve makes what there is to make, in the order in which a mistake is found soonest, and unmakes it in reverse.
func (o *serveOptions) serve(stop stopRequests, log *journal) error {
	f, err := newFront(o, log)
	if err != nil {
		return err
	}
	defer f.close()
	app, err := startApplication(o, log)
	if err != nil {
		return err
	}
	defer app.close()

	m, err := app.await(stop.drain)
	if err != nil {
		return err
	}
	f.start(newHandler(o, app.connect(m), f.root, log))
	if stop.drain.Err() == nil {
		log.ready(f.url, app.name, m)
	}
	select {
	case <-stop.drain.Done():
		log.draining(f.active.Load())
		return o.finish(stop, f, app, log)
	case err := <-f.broken:
		return failed(err, "the HTTP server stopped: "+err.Error(), "")
	}
}

// finish finishes the requests, and then ends the workers, which are needed for that.
func (o *serveOptions) finish(stop stopRequests, f *front, app *application, log *journal) error {
	enough, cancel := stop.atOnce, context.CancelFunc(func() {})
	if o.drain > 0 {
		enough, cancel = context.WithTimeout(stop.atOnce, o.drain)
	}
	defer cancel()
	cut := f.drain(enough)
	if !app.stop(stop.atOnce) && stop.atOnce.Err() == nil {
		log.warn(app.name + " did not end when it was asked to (SIGTERM), and was killed")
	}
	switch {
	case stop.atOnce.Err() != nil:
		return failed(nil, "stopped at once"+cutOff(cut), "")
	case cut > 0:
		return failed(nil, fmt.Sprintf("stopped after %v%s", o.drain, cutOff(cut)), "To let them go on for longer: --drain "+(2*o.drain).String())
	}
	log.stopped()
	return nil
}

func cutOff(n int64) string {
	if n == 0 {
		return ""
	}
	return ", cutting off " + count(n, "request")
}

// count is "1 request" or "3 requests".
func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
