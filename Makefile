# Philoxenia: every chore of the project has a name here; `make` alone lists them.
#
# Only `setup` changes the machine. `build` and `demo` need Go, gcc, make and git,
# nothing else; what the tests and demo-kvm need beyond that `setup` installs.

SHELL       := /bin/bash -o pipefail
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
FUZZTIME    ?= 20s
# A package's tests may take this long, which is for those that hang: the whole stays
# under 20 minutes on two cores that have nothing else to do.
TESTTIMEOUT ?= 60m
# Where goroutines meet: the packages that the race detector watches.
RACE        ?= ./schema/... ./service/... ./client/... ./adapters/access/... \
               ./adapters/image/... ./adapters/transport/... ./adapters/deployment/sim/...
KILLS       ?= 200
KVMKILLS    ?= 20

# SQLite comes as C source. No debug information halves the time it takes to
# compile, and loadable extensions are a door that nobody needs.
export CGO_ENABLED := 1
export CGO_CFLAGS  := -O2 -DSQLITE_DEFAULT_MEMSTATUS=0
TAGS        := sqlite_omit_load_extension
GO          ?= go
GOBUILD     := $(GO) build -trimpath -tags $(TAGS) -ldflags '-s -w -X main.version=$(VERSION)'
GOTEST      := $(GO) test -tags $(TAGS) -timeout $(TESTTIMEOUT)

.DEFAULT_GOAL := help
.PHONY: help setup build demo demo-kvm test race lint fmt generate verify fuzz crash e2e \
        e2e-xen bench man clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

setup: ## install the Debian packages that the tests and demo-kvm need (root)
	@.ci/setup

build: ## compile workspaced and workspace into bin/
	$(GOBUILD) -o bin/ ./service/cmd/workspaced ./client/cmd/workspace

demo: build ## lease simulated machines through the real command and real SOAP
	@examples/demo/run bin

demo-kvm: setup build ## lease real QEMU guests through a private libvirtd and sshd (root)
	@examples/kvm/run bin

test: setup fmt-check ## vet, formatting and every test, real libvirtd and sshd included (root)
	$(GO) vet -tags $(TAGS),xen,e2e ./...
	$(GOTEST) ./...

race: ## the tests of the concurrent packages under the race detector
	$(GOTEST) -race $(RACE)

lint: fmt-check ## vet, the tests of the house, and golangci-lint where it is installed
	$(GO) vet -tags $(TAGS) ./...
	$(GOTEST) -count=1 ./tests/house
	@if command -v golangci-lint >/dev/null; then golangci-lint run --build-tags $(TAGS); \
	else echo 'lint: golangci-lint is not installed, its part was left out'; fi

fmt: ## format every Go file
	gofmt -s -w $$(git ls-files --cached --others --exclude-standard '*.go')

.PHONY: fmt-check
fmt-check:
	@bad=$$(gofmt -s -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
	[ -z "$$bad" ] || { printf 'not formatted, run "make fmt":\n%s\n' "$$bad"; exit 1; }

generate: ## write what is generated: WSDL files, bindings, parts of docs, the man pages
	$(GO) test -count=1 ./wsdl -run '^TestPublishedFiles$$' -update
	$(GO) generate ./...
	$(GO) test -count=1 ./tests/house -run '^TestGenerated' -update
	@$(MAKE) --no-print-directory man

verify: generate ## generate again and fail where the result differs from what is committed
	git diff --exit-code -- docs '*.go' '*.wsdl'
	$(GO) mod tidy -diff
	$(GO) mod verify

fuzz: ## run each fuzz target for FUZZTIME (20s)
	@.ci/fuzz $(FUZZTIME) -tags $(TAGS)

crash: build ## kill -9 under load and check the books: KILLS (200) on sim, KVMKILLS (20) on QEMU
	$(GO) test -count=1 -timeout 60m ./tests/crash -v -bin $(CURDIR)/bin \
		-kills $(KILLS) -kvm-kills $(KVMKILLS)

e2e: setup build ## the built binaries as a user would, on many real hosts too (root)
	$(GO) test -count=1 -timeout 60m -tags $(TAGS),e2e ./tests/e2e -v -bin $(CURDIR)/bin

e2e-xen: setup build ## the adapter and the programs on a real Xen host, emulated (root)
	$(GO) test -count=1 -timeout 60m -tags $(TAGS),xen ./tests/xen -v -bin $(CURDIR)/bin

bench: build setup ## measure speed and memory beside bare handler, virsh and scp, print a table
	$(GO) run -tags $(TAGS) ./tests/bench -bin $(CURDIR)/bin

man: ## write the manual page of workspace from its table of commands
	@mkdir -p docs/man
	$(GO) run -tags $(TAGS) ./client/cmd/workspace man > docs/man/workspace.1

clean: ## remove what was built
	rm -rf bin dist .demo
