# `make` prints what each target is for. CI runs these same targets: .ci/run only insists that no server is missing.

# Lint tools, pinned. `go run pkg@version` builds each once and keeps it in the build cache, so none of them is in
# go.mod, where the library's users would meet them.
GOFUMPT     := mvdan.cc/gofumpt@v0.12.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.8.0

# Settings, as in `make fuzz FUZZTIME=5m`.
LISTEN   ?= 127.0.0.1:8080
BENCH    ?= .
FUZZTIME ?= 30s

# Where the code must at least compile, as net/http/fcgi does; Linux is where the tests run.
PLATFORMS := openbsd/amd64 freebsd/amd64 netbsd/amd64 dragonfly/amd64 darwin/arm64 windows/amd64 \
	illumos/amd64 solaris/amd64 aix/ppc64

# command:package, for what the tests start, or /path:package, for what has no command (Debian's names; a path may be a
# pattern): the web servers of interop, what starts applications for them, and the rest. The race detector needs the C
# compiler, and simple_fastcgi, which interop/simplefastcgi installs from PyPI, an environment of Python's.
SERVERS := nginx:nginx-light apache2:apache2 /usr/lib/apache2/modules/mod_fcgid.so:libapache2-mod-fcgid \
	/usr/lib/apache2/modules/mod_xsendfile.so:libapache2-mod-xsendfile \
	lighttpd:lighttpd /usr/lib/lighttpd/mod_openssl.so:lighttpd-mod-openssl caddy:caddy haproxy:haproxy h2o:h2o \
	spawn-fcgi:spawn-fcgi multiwatch:multiwatch fcgiwrap:fcgiwrap
NEEDED  := cc:build-essential ip:iproute2 php-fpm8.2:php-fpm cgi-fcgi:libfcgi-bin chromium:chromium patch:patch \
	/usr/lib/python3*/ensurepip:python3-venv $(SERVERS)

# What the benchmark's peers are built with, or are (Debian's names). Of Rust it takes whatever cargo there is.
PEERS := build-essential libfcgi-dev nginx-light php-fpm python3-venv

# Modules of their own, for tests with libraries that the users of this one must not meet.
# What they import is compiled once, with the race detector, and gin without MessagePack, whose codec takes longer to
# compile than all the rest.
MODULES := interop/routers interop/websocket interop/pocketbase
THEIRS  := -race -tags=nomsgpack

# The module for Caddy, without the race detector: compiling Caddy takes two minutes of both cores as it is.
PLAIN_MODULES := contrib/caddy

# How each scenario of interop went, in JSON.
CELLS := bin/interop.jsonl

# How requests fared while the application was restarted, in JSON.
RESTARTS := bin/restarts.jsonl

GO := go

.PHONY: help demo test fmt lint interop matrix restarts bench bench-peers bench-clients memory recycle fuzz cross cross-vet deps vet style vuln race allocations overflow

help: ## print this
	@printf 'fastcgi: the FastCGI toolkit for Go\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@printf '\nStart with `make demo`. Before a commit: `make fmt test`.\n'

demo: ## serve examples/demo over HTTP (LISTEN=127.0.0.1:8080)
	@mkdir -p bin
	@$(GO) build -o bin/ ./cmd/fcgi ./examples/demo
	@exec ./bin/fcgi serve --listen $(LISTEN) -- ./bin/demo

# Two at a time, of which one is interop, the longest: its tests wait often enough to leave a core for the others. What
# each prints comes at its end.
test: deps ## all that must pass: vet, lint, every test with -race, 32-bit, cross
	@$(MAKE) --assume-old=deps --jobs=2 --output-sync=target interop vet lint race allocations overflow cross

fmt: ## rewrite the code as gofumpt has it
	$(GO) run $(GOFUMPT) -w .

lint: style vuln ## gofumpt, go.mod, staticcheck, and govulncheck where it can

interop: deps ## every real web server by every scenario, and how that went as a table
	@mkdir -p bin && rm -f $(CELLS)
	@echo '$(GO) test -race ./interop'; status=0; \
	FASTCGI_MATRIX=$(CURDIR)/$(CELLS) $(GO) test -race -count=1 -parallel 8 -timeout 20m ./interop || status=1; \
	$(GO) run ./interop/matrix $(CELLS) || status=1; exit $$status

matrix: export FASTCGI_LOAD := whole
matrix: interop ## the same, kept in docs/servers.md and interop/matrix.json
	$(GO) run ./interop/matrix -write $(CELLS) >/dev/null

# Without the race detector, which would be what is measured.
restarts: deps ## 50 restarts under load behind web servers, kept in docs/servers.md and interop/restarts.json
	@mkdir -p bin && rm -f $(RESTARTS)
	@echo '$(GO) test -run TestW19|TestW23 ./interop'; status=0; \
	FASTCGI_RESTARTS=$(CURDIR)/$(RESTARTS) $(GO) test -count=1 -timeout 60m -run '^Test(W19|W23)' ./interop || status=1; \
	$(GO) run ./interop/restarts -write $(RESTARTS) || status=1; exit $$status

bench: ## every benchmark, with bytes and allocations (BENCH=regexp)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

# What is not there and cannot be installed is named in the results as missing, with the reason.
bench-peers: ## side by side with every peer, in 20 minutes: bench/RESULTS.md, docs/performance.svg
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && ! dpkg-query -W $(PEERS) >/dev/null 2>&1; then \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(PEERS) || true; \
	fi
	$(GO) run ./bench -write

# The clients of others are modules of their own under bench/clients. What cannot be had is named as missing.
bench-clients: ## our client side by side with others in Go, in 5 minutes: bench/clients/RESULTS.md, docs/clients.svg
	$(GO) run ./bench/clients -write

recycle: ## 64,000 GETs before php-fpm workers that end after five, and 20 restarts under load, in 15 minutes
	FASTCGI_RECYCLE_REQUESTS=64000 FASTCGI_RESTARTS_OF_FPM=20 $(GO) test -count=1 -timeout 60m -v \
		-run '^Test(X3RecyclingWorkers|X7Restarts)$$' ./client

memory: ## what a million answers that nobody reads take, in some minutes: bench/unread/RESULTS.md
	$(GO) run ./bench/unread -write

fuzz: ## each fuzz target for FUZZTIME=30s
	@set -e; for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' . | sed 's,/[^/]*$$,,' | sort -u); do \
		listed=$$($(GO) test -list '^Fuzz' $$dir); \
		for target in $$listed; do case $$target in Fuzz*) \
			echo "$$dir $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$dir ;; \
		esac; done; \
	done

cross: ## the types of everything, for every other platform
	$(GO) run ./internal/house/platforms $(PLATFORMS)

cross-vet: ## go vet for every other platform, which compiles all of it, in five minutes
	@set -e; for platform in $(PLATFORMS); do \
		export CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/}; \
		echo "GOOS=$$GOOS GOARCH=$$GOARCH $(GO) vet ./..."; $(GO) vet ./...; \
	done

deps: ## what the tests start: installed on Debian as root, named elsewhere
	@missing=; \
	for need in $(NEEDED); do \
		case $$need in \
		/*) ls -d $${need%%:*} >/dev/null 2>&1 ;; \
		*) command -v "$${need%%:*}" >/dev/null ;; \
		esac || missing="$$missing $${need#*:}"; \
	done; \
	if [ -z "$$missing" ]; then echo 'nothing is missing'; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
	else echo "missing:$$missing (Debian's names); tests that need them skip"; \
	fi
	@./interop/websocket/build-lighttpd
	@./interop/simplefastcgi/install

# The parts of test and lint, each a target of its own for when it alone is wanted.

vet:
	$(GO) vet ./...
	@set -e; for dir in $(MODULES); do echo "$(GO) vet -C $$dir $(THEIRS) ./..."; $(GO) vet -C $$dir $(THEIRS) ./...; done
	@set -e; for dir in $(PLAIN_MODULES); do echo "$(GO) vet -C $$dir ./..."; $(GO) vet -C $$dir ./...; done

style:
	@echo '$(GO) run $(GOFUMPT) -l .'; out=$$($(GO) run $(GOFUMPT) -l .) || exit 1; \
	if [ -n "$$out" ]; then printf 'not formatted (run `make fmt`):\n%s\n' "$$out"; exit 1; fi
	@set -e; for dir in . $(MODULES) $(PLAIN_MODULES); do echo "$(GO) mod tidy -C $$dir -diff"; $(GO) mod tidy -C $$dir -diff; done
	@GOBIN=$(CURDIR)/bin $(GO) install $(STATICCHECK)
	bin/staticcheck ./...
	@set -e; for dir in $(MODULES); do \
		echo "staticcheck $$dir/..."; (cd $$dir && GOFLAGS="$(THEIRS)" $(CURDIR)/bin/staticcheck ./...); \
	done
	@set -e; for dir in $(PLAIN_MODULES); do echo "staticcheck $$dir/..."; (cd $$dir && $(CURDIR)/bin/staticcheck ./...); done

# A finding fails. A database that cannot be fetched is reported and fails nothing: it says nothing about the code.
vuln:
	@echo '$(GO) run $(GOVULNCHECK) ./...'; out=$$($(GO) run $(GOVULNCHECK) ./... 2>&1) && { printf '%s\n' "$$out"; exit 0; }; \
	case "$$out" in \
	*'govulncheck: fetching vulnerabilities: '*) echo 'vulnerability database not reachable: not checked' ;; \
	*) printf '%s\n' "$$out"; exit 1 ;; \
	esac

# Units, fuzz seeds and the house, which reads files one after the other and has nothing to race; the real web servers are a
# target of their own.
race:
	$(GO) test -race $$($(GO) list ./... | grep -v -e '/interop$$' -e '/internal/house$$')
	$(GO) test ./internal/house
	@set -e; for dir in $(MODULES); do \
		echo "$(GO) test -C $$dir $(THEIRS) ./..."; $(GO) test -C $$dir $(THEIRS) ./...; \
	done
	@set -e; for dir in $(PLAIN_MODULES); do echo "$(GO) test -C $$dir ./..."; $(GO) test -C $$dir ./...; done

# What the race detector has allocated beside what it watches: here the counts are exact. And what it does not stand: a
# thousand connections and their timers in one bubble.
allocations:
	$(GO) test -run 'Allocat|SlowLoris' . ./protocol ./internal/pool

# Two lengths of 0x7fffffff overflow a 32-bit int when they are added (requirement A21). 386 has no race detector.
overflow:
	GOARCH=386 CGO_ENABLED=0 $(GO) test ./protocol/...
