#!/usr/bin/env bash
# The keys against moto, a stand-in for KMS, Secrets Manager, Parameter Store and
# CloudFront: keys are opened and published there, and rotated under load. It
# installs moto below build/ and skips nothing: what cannot be had makes it fail.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=build/moto
if ! cmp -s test/moto/requirements.txt "$venv/requirements.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r test/moto/requirements.txt
  cp test/moto/requirements.txt "$venv/requirements.txt"
fi

port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export HANDSTAMP_MOTO=http://127.0.0.1:$port

"$venv/bin/python" test/moto/server.py "$port" >build/moto.log 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT

# answers: whether moto serves, and is the process that we started.
answers() {
  kill -0 "$server" 2>/dev/null || { echo "moto.sh: moto has ended:" >&2; tail -20 build/moto.log >&2; exit 1; }
  "$venv/bin/python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + "/moto-api/", timeout=1)' "$HANDSTAMP_MOTO" 2>/dev/null
}
for _ in $(seq 120); do
  if answers; then ready=yes; break; fi
  sleep 0.5
done
if [ -z "${ready:-}" ]; then echo "moto.sh: no answer from moto at $HANDSTAMP_MOTO within a minute" >&2; exit 1; fi

out=build/moto-test.log
status=0
go test -count=1 -timeout 10m -run Moto -v ./pkg/keyring/awskeys ./pkg/keyring/keygroup ./cmd/handstamp ./test/rotation >"$out" 2>&1 || status=$?
grep -v '^=== ' "$out" || true
if [ "$status" -ne 0 ]; then exit "$status"; fi
if grep -E '^ *--- SKIP|no tests to run' "$out" >&2; then
  echo "moto.sh: tests were skipped" >&2
  exit 1
fi
