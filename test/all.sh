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
