#!/usr/bin/env bash
# Runs every fuzz target of the project for a while: fuzz.sh 60s.
set -euo pipefail
cd "$(dirname "$0")/.."
grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r dir; do
  grep -hoE '^func (Fuzz[A-Za-z0-9_]*)' "$dir"/*_test.go | awk '{print $2}' | while read -r name; do
    echo "fuzz $dir $name"
    go test -run '^$' -fuzz "^$name\$" -fuzztime "$1" "$dir"
  done
done
