# make run    build and start on conf.d
# make test   everything that must hold: format, vet (for Windows and macOS, too), staticcheck, tests with the
#             race detector, for which there must be a C compiler
# make package    deb, rpm and archives of this commit, in dist/
# make test-package   installs them and tries what they hold
# make test-kafka   the output kafka against Apache Kafka itself
GO      ?= go
VERSION ?= $(shell packaging/version.sh)
COMMIT  := $(shell git describe --always --exclude '*' --dirty --abbrev=12 2>/dev/null || echo unknown)
DATE    := $(shell git log -1 --no-show-signature --format=%cs 2>/dev/null)
LDFLAGS  = -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)

# how long make soak has sinks flap
SOAK    ?= 20m

# what is fetched for tests: the jars of Apache Kafka
KAFKA    = .cache/kafka

.PHONY: run build test race docs test-kafka lint package test-package bench bench-check soak clean

run: build
	./catpaw

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o catpaw ./cmd/catpaw

test: race lint
	$(GO) test -race ./...
	cd test && $(GO) test -race -parallel 16 ./... # they wait for servers most of the time

# The race detector needs a C compiler. Tests without it prove less, so where there is none nobody runs them unawares.
race:
	@why=$$($(GO) build -race net 2>&1) || { echo "the race detector needs a C compiler: install one (Debian: gcc and libc6-dev)," \
		"or run tests without it: $(GO) test ./... ($$(echo "$$why" | tail -1))" >&2; exit 1; }

# The output kafka against Apache Kafka, read by kcat; skipped, with the reason, where java, mvn or kcat is missing.
test-kafka: race $(KAFKA)
	cd test && CATPAW_KAFKA=$(CURDIR)/$(KAFKA) $(GO) test -race -count=1 -timeout 15m -run 'TestReal' -v ./kafkatest

$(KAFKA): test/kafkatest/pom.xml
	@if command -v mvn >/dev/null && command -v java >/dev/null; then \
		rm -rf $@ && mvn -q -B -f $< dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=$(CURDIR)/$@ && touch $@; \
	else echo "java or mvn is missing: Apache Kafka cannot be fetched"; fi

lint:
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not gofmt-ed:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./... && $(GO) -C packaging vet ./...
	@# Nobody runs the tests there, but all of it, tests included, must build for the other systems.
	for os in windows darwin; do GOOS=$$os $(GO) build ./... && GOOS=$$os $(GO) vet ./... || exit 1; done
	$(GO) tool staticcheck ./...
	staticcheck=$$($(GO) tool -n staticcheck) && cd test && $(GO) vet ./... && $$staticcheck ./...

# What docs takes from the source: the reference of all options, the schemas for editors.
docs:
	$(GO) test ./agent -run 'OfTheSource$$' -count=1 -update

# What people install, in dist/.
package:
	GO='$(GO)' VERSION='$(VERSION)' LDFLAGS='$(LDFLAGS)' packaging/package.sh

# Installs them, in a copy of this system that is thrown away; and a Windows service, by Wine. What is missing for that is
# skipped, with the reason.
test-package: package
	packaging/reproducible.sh
	cd test && CATPAW_DIST=$(CURDIR)/dist $(GO) test -count=1 -timeout 10m -v ./packagetest

# Each figure stands beside its comparison from the same run; the ratio is what counts. ONLY=Targets measures what fits;
# Kafka's jars are fetched only where that may be its benchmark.
bench bench-check: $(if $(shell echo kafkatest.Kafka | grep -E -e '$(ONLY)'),$(KAFKA))
	CATPAW_KAFKA=$(CURDIR)/$(KAFKA) $(GO) run ./bench -only '$(ONLY)' $(if $(filter bench-check,$@),-check)

# What takes longer than a test may: 200 times killed while a sink refuses, hangs and returns; 1,000 checks and sinks that
# flap, for as long as SOAK says (SOAK=2h), while nothing may grow; the model of the store.
soak: race
	CATPAW_KILLS=200 $(GO) test -race -count=1 -timeout 30m -run TestKilled -v ./cmd/catpaw
	CATPAW_SOAK=$(SOAK) $(GO) test -count=1 -timeout 0 -run TestSoak -v ./cmd/catpaw
	$(GO) test -count=1 -timeout 30m -run TestModel ./store -rapid.checks=5000

clean:
	rm -rf catpaw dist
