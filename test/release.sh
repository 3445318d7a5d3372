#!/usr/bin/env bash
# A release into dist/, or the folder given: release.sh [FOLDER]. The same commit
# is the same bytes on every machine with the same Go.
#
# VERSION: the version, else the tag of the commit, else what git describes.
# PLATFORMS: for what, like "linux/amd64 darwin/arm64".
# FUNCTIONS: for which processors the functions of AWS Lambda are.
# RELEASE_KEY: a private Ed25519 key in PEM that signs SHA256SUMS. Made once, and
# kept where no build machine is:
#   openssl genpkey -algorithm ed25519 -out release.pem
#   openssl pkey -in release.pem -pubout -out release.pub.pem
# Verified by anybody who has the public half, without the network:
#   openssl pkeyutl -verify -pubin -inkey release.pub.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig
#   sha256sum --check SHA256SUMS
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-dist}
version=${VERSION:-$(git describe --tags --always --dirty)}
platforms=${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}
export CGO_ENABLED=0 GOFLAGS=-mod=readonly LC_ALL=C TZ=UTC
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

[[ $version =~ ^[A-Za-z0-9.+_-]+$ ]] || { echo "release: VERSION $version has characters that file names should not have" >&2; exit 1; }
if [ -e "$out" ] && [ -n "$(ls -A "$out")" ]; then
  echo "release: $out is there and not empty" >&2
  exit 1
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compile PROGRAM OS ARCH TAGS FILE
compile() {
  GOOS=$2 GOARCH=$3 go build -trimpath -buildvcs=false -tags "$4" -ldflags "-s -w -buildid= -X main.release=$version" -o "$5" "./cmd/$1"
}

go build -o "$work/release" ./test/release
# the program for this machine writes its own manual and completions
compile handstamp "$(go env GOHOSTOS)" "$(go env GOHOSTARCH)" "" "$work/handstamp"
mkdir -p "$work/share/man/man1" "$work/share/completions"
"$work/handstamp" man "$work/share/man/man1"
for shell in bash zsh fish powershell; do
  "$work/handstamp" completion "$shell" >"$work/share/completions/handstamp.$shell"
done

for platform in $platforms; do
  os=${platform%/*} arch=${platform#*/}
  name=handstamp-$version-$os-$arch
  folder=$work/$name
  mkdir -p "$folder"
  ending=.tar.gz exe=
  if [ "$os" = windows ]; then ending=.zip exe=.exe; fi
  compile handstamp "$os" "$arch" "" "$folder/handstamp$exe"
  "$work/release" sbom "$folder/handstamp$exe" >"$out/$name.cdx.json"
  cp -r LICENSE README.md CHANGELOG.md config.yaml "$work/share/." "$folder/"
  if [ "$os" = linux ]; then
    mkdir "$folder/systemd"
    cp deploy/systemd/*.service deploy/systemd/*.timer deploy/systemd/handstamp.sysusers deploy/systemd/handstamp-once "$folder/systemd/"
  fi
  "$work/release" archive "$out/$name$ending" "$name" "$folder"
  rm -rf "$folder"
done

# AWS Lambda wants a program called bootstrap in a zip file.
for program in lambda authorizer; do
  if [ ! -d "cmd/$program" ]; then continue; fi
  for arch in ${FUNCTIONS:-arm64 amd64}; do
    name=handstamp-$program-$version-linux-$arch
    mkdir "$work/$name"
    compile "$program" linux "$arch" lambda.norpc "$work/$name/bootstrap"
    "$work/release" sbom "$work/$name/bootstrap" >"$out/$name.cdx.json"
    "$work/release" archive "$out/$name.zip" . "$work/$name"
    rm -rf "${work:?}/$name"
  done
done

(cd "$out" && sha256sum -- * >"$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
if [ -n "${RELEASE_KEY:-}" ]; then
  openssl pkeyutl -sign -inkey "$RELEASE_KEY" -rawin -in "$out/SHA256SUMS" -out "$out/SHA256SUMS.sig"
else
  echo "release: not signed; RELEASE_KEY names a key" >&2
fi
ls -l "$out"
