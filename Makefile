# make run    build and start on conf.d
# make test   everything that must hold: format, vet (for Windows and macOS, too), staticcheck, tests with the
#             race detector
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X main.version=$(VERSION)

.PHONY: run build test lint bench soak clean

run: build
	./catpaw

build:
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o catpaw ./cmd/catpaw

test: lint
	$(GO) test -race ./...

lint:
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not gofmt-ed:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	@# Nobody runs the tests there, but all of it, tests included, must build for the other systems.
	for os in windows darwin; do GOOS=$$os $(GO) build ./... && GOOS=$$os $(GO) vet ./... || exit 1; done
	$(GO) tool staticcheck ./...

# Each figure stands beside its comparison from the same run; the ratio is what counts.
bench:
	$(GO) test -run '^$$' -bench . -benchtime 1s ./...

# What takes longer than a test may: 200 times killed while a sink refuses, hangs and returns.
soak:
	CATPAW_KILLS=200 $(GO) test -race -count=1 -timeout 30m -run TestKilled -v ./cmd/catpaw
	$(GO) test -count=1 -timeout 30m -run TestModel ./store -rapid.checks=5000

clean:
	rm -f catpaw
