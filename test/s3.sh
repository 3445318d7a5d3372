#!/usr/bin/env bash
# Private files and "content sync" against versitygw, a real S3 server: it checks
# signatures, upload policies, checksums and IAM policies, keeps objects as files,
# and is built from source by Go. The gateway has the rights that "handstamp check
# --iam" prints. It skips nothing: what cannot be had makes it fail.
#
# It needs extended attributes below build/, which all usual file systems of Linux
# have, and for the page with pictures Chromium and Node.
set -euo pipefail
cd "$(dirname "$0")/.."
version=v1.8.0 # of versitygw
home=$PWD/build/s3
mkdir -p "$home" build/shots

say() { printf '\n== %s\n' "$*"; }

# need COMMAND PACKAGE: install a Debian package unless its command is there.
need() {
  if command -v "$1" >/dev/null; then return; fi
  say "installing $2"
  if [ ! -e build/apt-updated ]; then apt-get update -qq && touch build/apt-updated; fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >"$home/apt.log" 2>&1 || { tail -20 "$home/apt.log" >&2; exit 1; }
}

need chromium chromium
need node nodejs
need npm npm

tools=$PWD/build/tools
if ! go version -m "$tools/versitygw" 2>/dev/null | grep -qE "versitygw[[:space:]]+$version\b"; then
  say "building versitygw $version"
  GOBIN=$tools go install "github.com/versity/versitygw/cmd/versitygw@$version"
fi
if [ ! -d test/browser/node_modules/playwright-core ]; then
  npm ci --prefix test/browser --no-audit --no-fund --silent
fi
go build -trimpath -o "$home/handstamp" ./cmd/handstamp

run=$(mktemp -d "$home/run.XXXXXX")
iam=
store=
finish() {
  for pid in $store $iam; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$run"
}
trap finish EXIT

# key LENGTH: so many random bytes, in hexadecimal.
key() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
root=$(key 8) secret=$(key 24)
export ROOT_ACCESS_KEY=$root ROOT_SECRET_KEY=$secret

# ready NAME PID PORT LOG: wait until a server answers, or fail.
ready() {
  for _ in $(seq 120); do
    kill -0 "$2" 2>/dev/null || { echo "s3.sh: the $1 has ended:" >&2; tail -20 "$4" >&2; exit 1; }
    if (exec 3<>"/dev/tcp/127.0.0.1/$3" && printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3 && head -1 <&3 | grep -q ' 200 ') 2>/dev/null; then return; fi
    sleep 0.25
  done
  echo "s3.sh: no answer from the $1" >&2
  exit 1
}

say "starting versitygw"
mkdir "$run/objects" "$run/users"
users_port=$(go run ./test/dynamodb/freeport)
"$tools/versitygw" --quiet --health /healthz --port "127.0.0.1:$users_port" iam --dir "$run/users" --private-ports "$run/iam.sock" >"$home/iam.log" 2>&1 &
iam=$!
ready "IAM service" "$iam" "$users_port" "$home/iam.log"
port=$(go run ./test/dynamodb/freeport)
"$tools/versitygw" --quiet --health /healthz --port "127.0.0.1:$port" --iam-cache-disable --access-log "$home/access.log" \
  --iam-standalone-endpoint "$run/iam.sock" posix "$run/objects" >"$home/server.log" 2>&1 &
store=$!
ready "S3 server" "$store" "$port" "$home/server.log"
unset ROOT_ACCESS_KEY ROOT_SECRET_KEY

say "private files, uploads, content sync: against versitygw $version"
log=$home/test.log
status=0
HANDSTAMP_S3=http://127.0.0.1:$port HANDSTAMP_S3_IAM=http://127.0.0.1:$users_port HANDSTAMP_S3_KEY=$root HANDSTAMP_S3_SECRET=$secret \
  HANDSTAMP_S3_BINARY=$home/handstamp HANDSTAMP_S3_CHROMIUM=$(command -v chromium) HANDSTAMP_S3_SHOTS=$PWD/build/shots \
  go test -count=1 -timeout 6m -parallel 5 -v ./test/s3 >"$log" 2>&1 || status=$?
grep -E '^ *--- |^(PASS|FAIL|ok )|crowd_linux_test.go|cut_test.go.*ended|sync_test.go.*killed' "$log" || true
if [ "$status" -ne 0 ]; then
  grep -vE '^=== ' "$log" | tail -80 >&2
  echo "s3.sh: see $log, $home/server.log and $home/access.log" >&2
  exit "$status"
fi
if grep -qE '^ *--- SKIP|no tests to run' "$log"; then
  echo "s3.sh: tests were skipped" >&2
  exit 1
fi
