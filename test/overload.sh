#!/usr/bin/env bash
# Three times as many tickets as can be let in, for OVERLOAD (20s unless it is set),
# against the real binary on a processor of its own. Linux with two processors.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=$PWD/bin/handstamp
go build -trimpath -o "$binary" ./cmd/handstamp
OVERLOAD=${OVERLOAD:-20s} OVERLOAD_BINARY=$binary go test -count=1 -timeout 10m -v -run '^TestOverload$' ./cmd/handstamp
