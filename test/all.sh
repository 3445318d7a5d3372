#!/usr/bin/env bash
# The tests against real software. It installs what it needs: Debian packages
# where apt-get can, Python and Node packages below build/, each in a pinned
# version. It skips nothing: what cannot be had makes it fail.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/shots

say() { printf '\n== %s\n' "$*"; }

# need COMMAND PACKAGE: install a Debian package unless its command is there.
need() {
  if command -v "$1" >/dev/null; then return; fi
  say "installing $2"
  if [ ! -e build/apt-updated ]; then apt-get update -qq && touch build/apt-updated; fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >build/apt.log 2>&1 || { tail -20 build/apt.log >&2; exit 1; }
}

need chromium chromium
need node nodejs
need npm npm
need openssl openssl
need zbarimg zbar-tools

say "building"
go build -trimpath -o bin/handstamp ./cmd/handstamp

say "the demo in headless Chromium"
npm ci --prefix test/browser --no-audit --no-fund --silent
node test/browser/demo.mjs bin/handstamp "$(command -v chromium)" build/shots

say "foreign signers and verifiers: botocore, AWS CLI, AWS SDK for JavaScript, Node, Python, openssl"
need python3 python3
python3 -c 'import ensurepip' 2>/dev/null || need no-such-command python3-venv
if ! cmp -s test/witness/requirements.txt build/venv/requirements.txt; then
  rm -rf build/venv
  python3 -m venv build/venv
  build/venv/bin/pip install --quiet --disable-pip-version-check -r test/witness/requirements.txt
  cp test/witness/requirements.txt build/venv/
fi
npm ci --prefix test/witness --no-audit --no-fund --silent
python=$PWD/build/venv/bin/python
mkdir -p build/cases
(
  cd test/witness
  "$python" naive.py --vectors ../../pkg/cloudfront/testdata/foreign.json
  "$python" generate.py --count 20000 >../../build/cases/generated.jsonl 2>../../build/cases/generated.log
  "$python" sign.py --count 300 >../../build/cases/botocore.jsonl
  "$python" sign_awscli.py --aws ../../build/venv/bin/aws >../../build/cases/awscli.jsonl
  node sign.mjs --count 300 >../../build/cases/javascript.jsonl
  for signer in botocore awscli javascript; do
    "$python" naive.py --check <../../build/cases/$signer.jsonl
  done
)
cases=$PWD/build/cases
HANDSTAMP_CASES="$cases/generated.jsonl:$cases/botocore.jsonl:$cases/awscli.jsonl:$cases/javascript.jsonl" \
HANDSTAMP_VERIFIERS="$python $PWD/test/witness/verify.py;node $PWD/test/witness/verify.mjs" \
  go test -tags witness -count=1 -run 'TestForeignCases|TestForeignVerifiers|TestOpenSSL' -v ./pkg/cloudfront | grep -v '^=== '

say "the function that refuses what was revoked, in Node and in nginx's JavaScript"
need njs njs
node --test test/denylist/function.test.mjs | grep -E '^# (tests|pass|fail)'
test/denylist/njs.sh

test/dynamodb.sh

test/moto.sh

test/s3.sh

test/deploy.sh

ANYWHERE_PLATFORMS=linux/amd64 FUNCTIONS=amd64 test/anywhere.sh

test/pretix.sh

say "OCTO: the fixtures are what the published generators make"
npm ci --prefix test/octo --no-audit --no-fund --silent
node test/octo/generate.mjs --check

test/overload.sh

say "FIPS 140: everything with SHA-256, nothing with SHA-1"
test/fips.sh

say "the book under kill -9, power loss, full disks, two processes, a million tickets"
FULL_TESTS=1 HANDSTAMP_MILLION=1 go test -count=1 -timeout 15m ./pkg/book/sqlite ./pkg/book/memory

say "everything that make test does in a small way, in full"
FULL_TESTS=1 go test -count=1 -timeout 10m ./pkg/app ./pkg/cloudfront ./pkg/admin ./pkg/throttle

say "the book over a stand-in of DynamoDB, 100,000 operations as the model does them"
HANDSTAMP_MODEL_OPERATIONS=100000 go test -count=1 -timeout 10m -run '^TestModel$' ./pkg/book/dynamodb

say "the QR code in the terminal can be read"
python3 test/qr.py bin/handstamp
