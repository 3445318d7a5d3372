# What there is to do. "make help" lists it.

GO      ?= go
BUILD   := build
BIN     := bin/handstamp
VERSION_STATICCHECK := v0.8.2
VERSION_GOVULNCHECK := v1.8.0
VERSION_GOSEC       := v2.29.0

.PHONY: help build demo lint test test-all trouble bench cover fuzz release anywhere docs package deploy clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

build: ## compile the binary into bin/
	$(GO) build -trimpath -o $(BIN) ./cmd/handstamp

demo: ## play the audio guide on this machine
	$(GO) run ./cmd/handstamp demo

lint: ## gofmt, vet, staticcheck, gosec, known vulnerabilities
	@./test/lint.sh $(VERSION_STATICCHECK) $(VERSION_GOSEC) $(VERSION_GOVULNCHECK)

# checkptr is left out of what is translated from C: it finds nothing there and
# doubles the time of the books. A program with the race detector sleeps for a
# second before it ends, and the tests start hundreds. make lint vets.
test: ## all hermetic tests, with the race detector
	GORACE=atexit_sleep_ms=10 $(GO) test -race -vet=off -gcflags='modernc.org/...=-d=checkptr=0' -timeout 4m ./...

test-all: ## test, and the tests against real software; installs what it needs
	@./test/all.sh

trouble: ## what a book must withstand: killed processes, full disks, power loss; takes minutes
	FULL_TESTS=1 $(GO) test -count=1 -timeout 20m -v ./pkg/book/sqlite ./pkg/book/memory

bench: ## benchmarks of issuing and of the edge
	$(GO) test -run '^$$' -bench . -benchmem ./pkg/...

cover: ## lines covered by the tests, a package a line
	$(GO) test -cover ./pkg/... ./cmd/...

FUZZTIME ?= 60s
fuzz: ## every fuzz target for FUZZTIME each
	@./test/fuzz.sh $(FUZZTIME)

release: ## archives, bills of materials and checksums into dist/; RELEASE_KEY signs them
	@./test/release.sh

anywhere: ## container, units, manifests and a release built twice; needs root
	@./test/anywhere.sh

package: ## Lambda packages into build/deploy/, like ARGS="--stack guide --site site"
	@deploy/cloudformation/deploy.sh --package $(ARGS)

deploy: ## build it all on AWS, see docs/aws.md; ARGS as for package
	@deploy/cloudformation/deploy.sh $(ARGS)

docs: ## write docs/configuration.md from the program
	$(GO) run ./cmd/handstamp config reference > docs/configuration.md

clean: ## remove what make made
	rm -rf $(BUILD) bin
