#!/bin/sh
# Everything that is in the image, into a folder: image.sh FOLDER. The
# Dockerfile runs it, and so does test/anywhere.sh where there is no Docker.
# TARGETOS, TARGETARCH: for what to build. VERSION: what the program says it is.
set -eu
cd "$(dirname "$0")/../.."
root=$1
mkdir -p "$root/etc/ssl/certs" "$root/etc/handstamp" "$root/var/lib/handstamp" "$root/tmp"
chmod 0700 "$root/var/lib/handstamp"
chmod 1777 "$root/tmp"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
CGO_ENABLED=0 GOOS=${TARGETOS:-linux} GOARCH=${TARGETARCH:-$(go env GOARCH)} \
  go build -trimpath -buildvcs=false -ldflags "-s -w -X main.release=${VERSION:-}" -o "$root/handstamp" ./cmd/handstamp
