#!/usr/bin/env bash
# Ticket sources against pretix itself: installed from PyPI, over SQLite, filled
# through its management shell and its API, and stopped again. It skips nothing:
# what cannot be had makes it fail. The first run takes minutes for packages and
# the database schema; later ones start from a copy of both below build/.
set -euo pipefail
cd "$(dirname "$0")/.."
home=$PWD/build/pretix
mkdir -p "$home"

say() { printf '\n== %s\n' "$*"; }

# need COMMAND PACKAGE: install a Debian package unless its command is there.
need() {
  if command -v "$1" >/dev/null; then return; fi
  say "installing $2"
  if [ ! -e build/apt-updated ]; then apt-get update -qq && touch build/apt-updated; fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >"$home/apt.log" 2>&1 || { tail -20 "$home/apt.log" >&2; exit 1; }
}

# quietly LOG COMMAND...: run it, and show the end of what it said if it fails.
quietly() {
  local log=$home/$1
  shift
  "$@" >"$log" 2>&1 || { echo "pretix.sh: failed: $*" >&2; tail -40 "$log" >&2; exit 1; }
}

need python3 python3
need gcc gcc
python3 -c 'import ensurepip' 2>/dev/null || need no-such-command python3-venv
venv=$home/venv
python=$venv/bin/python

if ! cmp -s test/pretix/requirements.txt "$home/installed.txt"; then
  say "installing pretix"
  rm -rf "$venv" "$home/empty.sqlite3" "$home/installed.txt"
  python3 -m venv "$venv"
  quietly pip.log "$venv/bin/pip" install --disable-pip-version-check -r test/pretix/requirements.txt
  cp test/pretix/requirements.txt "$home/installed.txt"
fi

data=$(mktemp -d "$home/run.XXXXXX")
server=
finish() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$data"
}
trap finish EXIT

port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export PRETIX_PRETIX_URL=http://127.0.0.1:$port
export PRETIX_PRETIX_DATADIR=$data
export PRETIX_PRETIX_ALLOW_HTTP_TO_PRIVATE_NETWORKS=on # its webhooks call us on loopback
export PRETIX_DATABASE_BACKEND=sqlite3
export PRETIX_DATABASE_NAME=$data/db.sqlite3
export PRETIX_DJANGO_SECRET=of-a-test-only

if [ ! -e "$home/empty.sqlite3" ]; then
  say "making its database"
  quietly migrate.log "$python" -m pretix migrate
  cp "$PRETIX_DATABASE_NAME" "$home/empty.part" && mv "$home/empty.part" "$home/empty.sqlite3"
fi
cp "$home/empty.sqlite3" "$PRETIX_DATABASE_NAME"

say "filling it"
setup=$data/setup.json
"$python" -m pretix shell_scoped --override <test/pretix/setup.py >"$home/setup.out" 2>"$home/setup.log" ||
  { echo "pretix.sh: it cannot be filled" >&2; tail -40 "$home/setup.log" >&2; exit 1; }
grep '^{' "$home/setup.out" | tail -1 >"$setup"
if [ ! -s "$setup" ]; then
  echo "pretix.sh: it was not filled" >&2
  tail -40 "$home/setup.out" "$home/setup.log" >&2
  exit 1
fi

say "starting it"
"$venv/bin/gunicorn" pretix.wsgi --bind "127.0.0.1:$port" --workers 1 --threads 8 --timeout 60 >"$home/server.log" 2>&1 &
server=$!
# answers: whether its API asks us who we are.
answers() {
  "$python" - "$PRETIX_PRETIX_URL" <<'EOF' 2>/dev/null
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1] + "/api/v1/organizers/", timeout=20)
except urllib.error.HTTPError as e:
    sys.exit(e.code != 401)
EOF
}
for _ in $(seq 180); do
  kill -0 "$server" 2>/dev/null || { echo "pretix.sh: pretix has ended:" >&2; tail -40 "$home/server.log" >&2; exit 1; }
  if answers; then
    ready=yes
    break
  fi
  sleep 0.5
done
if [ -z "${ready:-}" ]; then
  echo "pretix.sh: no answer from pretix" >&2
  tail -40 "$home/server.log" >&2
  exit 1
fi

say "asking it"
log=$home/test.log
status=0
HANDSTAMP_PRETIX_SETUP=$setup go test -count=1 -timeout 5m -v -run '^TestReal' ./pkg/ticket/pretix >"$log" 2>&1 || status=$?
grep -E '^ *--- |^(PASS|FAIL|ok )|real_test.go' "$log" || true
if [ "$status" -ne 0 ]; then
  grep -v '^=== ' "$log" | tail -60 >&2
  echo "pretix.sh: see $log and $home/server.log" >&2
  exit "$status"
fi
if grep -q -- '--- SKIP' "$log" || ! grep -q '^--- PASS: TestRealLookup ' "$log"; then
  echo "pretix.sh: tests against pretix did not run" >&2
  exit 1
fi
