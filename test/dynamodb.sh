#!/usr/bin/env bash
# The book over DynamoDB against DynamoDB Local, Amazon's own stand-in for it:
# fetched by Maven, started in memory on a free loopback port, and stopped again.
# It needs a Java runtime 17 and Maven, and installs them where apt-get can.
# It skips nothing: what cannot be had makes it fail.
#
# HANDSTAMP_MODEL_OPERATIONS says how many operations the model does.
set -euo pipefail
cd "$(dirname "$0")/.."
home=$PWD/build/dynamodb
mkdir -p "$home"

say() { printf '\n== %s\n' "$*"; }

# need COMMAND PACKAGE: install a Debian package unless its command is there.
need() {
  if command -v "$1" >/dev/null; then return; fi
  say "installing $2"
  if [ ! -e build/apt-updated ]; then apt-get update -qq && touch build/apt-updated; fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >"$home/apt.log" 2>&1 || { tail -20 "$home/apt.log" >&2; exit 1; }
}

need java default-jre-headless
need mvn maven

if ! cmp -s test/dynamodb/pom.xml "$home/fetched.xml"; then
  say "fetching DynamoDB Local"
  rm -rf "$home/lib"
  mvn --quiet --batch-mode --file test/dynamodb/pom.xml dependency:copy-dependencies -DoutputDirectory="$home/lib" \
    >"$home/maven.log" 2>&1 || { tail -20 "$home/maven.log" >&2; exit 1; }
  cp test/dynamodb/pom.xml "$home/fetched.xml"
fi

say "starting DynamoDB Local"
port=$(go run ./test/dynamodb/freeport)
# It leaves a file where it is started, and would report its use to Amazon.
(
  cd "$home"
  exec java -Xmx1g -Djava.library.path=lib -cp 'lib/*' com.amazonaws.services.dynamodbv2.local.main.ServerRunner \
    -inMemory -sharedDb -disableTelemetry -port "$port" >server.log 2>&1
) &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
for _ in $(seq 120); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  kill -0 "$server" 2>/dev/null || { tail -20 "$home/server.log" >&2; exit 1; }
  sleep 0.5
done

say "the book over DynamoDB Local"
log=$home/test.log
status=0
HANDSTAMP_DYNAMODB=http://127.0.0.1:$port HANDSTAMP_MODEL_OPERATIONS=${HANDSTAMP_MODEL_OPERATIONS:-} \
  go test -count=1 -timeout 15m -v -run '^TestReal' ./pkg/book/dynamodb ./pkg/app >"$log" 2>&1 || status=$?
grep -E '^(--- |PASS|FAIL|ok )|real_[a-z]*_?test.go' "$log" || true
if [ "$status" -ne 0 ]; then
  grep -vE '^=== ' "$log" | tail -60 >&2
  exit "$status"
fi
if grep -q -- '--- SKIP' "$log" || ! grep -q '^--- PASS: TestRealModel ' "$log" || ! grep -q '^--- PASS: TestRealGateway ' "$log"; then
  echo "dynamodb: tests against DynamoDB Local did not run" >&2
  exit 1
fi
