#!/usr/bin/env bash
# One binary, anywhere: the container without Docker, systemd's own opinion of
# the units, Kubernetes' own types, and a release that is the same bytes twice.
# It needs root, for the namespaces of the container. What cannot be had makes
# it fail.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$PWD/build/anywhere
rm -rf "$build"
mkdir -p "$build/room"

say() { printf '\n== %s\n' "$*"; }
need() {
  if command -v "$1" >/dev/null; then return; fi
  if [ ! -e build/apt-updated ]; then apt-get update -qq && touch build/apt-updated; fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >build/apt.log 2>&1 || { tail -20 build/apt.log >&2; exit 1; }
}
need systemd-analyze systemd
need groff groff
need ip iproute2
need file file
need setpriv util-linux
need zsh zsh
need fish fish

say "the container, without Docker"
TARGETOS=linux VERSION=v0.0.0-anywhere deploy/docker/image.sh "$build/image"
go build -o "$build/crowd" ./test/anywhere
unshare --mount --net --pid --fork --mount-proc --kill-child test/anywhere/container.sh "$build/image" "$build/crowd" "$build/room"

say "the units"
# systemd wants the programs to be there
mkdir "$build/units"
for unit in deploy/systemd/*.service deploy/systemd/*.timer; do
  sed "s#/usr/bin/handstamp#$build/image/handstamp#" "$unit" >"$build/units/$(basename "$unit")"
done
(
  cd "$build/units"
  for unit in *; do
    found=$(systemd-analyze verify --man=no "./$unit" 2>&1 | grep -F "$unit" || true)
    if [ -n "$found" ]; then echo "$found" >&2; exit 1; fi
  done
  for unit in *.service; do
    # 0 is locked up, 10 is wide open; more than 2.0 fails
    systemd-analyze security --offline=true --threshold=20 "./$unit" >security.txt || { cat security.txt >&2; exit 1; }
    tail -1 security.txt
  done
)

say "the manifests"
(cd test/kubernetes && go vet . && go test -count=1 . && go run . ../../deploy/kubernetes/base ../../deploy/kubernetes/overlays/*)

say "the manual pages"
"$build/image/handstamp" man "$build/man"
for page in "$build"/man/*.1; do
  warnings=$(groff -man -ww -Tutf8 -z "$page" 2>&1)
  if [ -n "$warnings" ]; then echo "$warnings" >&2; exit 1; fi
done

say "the completions"
for shell in bash zsh fish; do
  "$build/image/handstamp" completion "$shell" >"$build/completion.$shell"
  "$shell" -n "$build/completion.$shell"
done

say "a release, twice, in two folders, with the cache of this machine and with an empty one"
openssl genpkey -algorithm ed25519 -out "$build/release.pem" 2>/dev/null
openssl pkey -in "$build/release.pem" -pubout -out "$build/release.pub.pem"
# what is not committed yet belongs to it, too
for copy in one two/further/down; do
  mkdir -p "$build/$copy/src"
  git ls-files -z --cached --others --exclude-standard | (xargs -0 ls -d 2>/dev/null || true) | tar cf - -T - | tar xf - -C "$build/$copy/src"
done
for copy in one two/further/down; do
  say "$copy"
  cache=$(go env GOCACHE)
  if [ "$copy" != one ]; then cache=$build/cache-two; fi
  GOCACHE=$cache VERSION=v0.0.0-anywhere SOURCE_DATE_EPOCH=1767225600 RELEASE_KEY=$build/release.pem \
    PLATFORMS="${ANYWHERE_PLATFORMS:-linux/amd64 windows/arm64}" "$build/$copy/src/test/release.sh" "$build/$copy/dist"
done
cmp "$build/one/dist/SHA256SUMS" "$build/two/further/down/dist/SHA256SUMS"

say "its signature, its bills, its archive"
cd "$build/one/dist"
sha256sum --check --quiet SHA256SUMS
verify() { openssl pkeyutl -verify -pubin -inkey "$build/release.pub.pem" -rawin -in "$1" -sigfile SHA256SUMS.sig; }
verify SHA256SUMS
sed 's/^./x/' SHA256SUMS >"$build/changed"
if verify "$build/changed" >/dev/null; then echo "a changed SHA256SUMS has a good signature" >&2; exit 1; fi
mkdir "$build/unpacked"
tar xzf handstamp-v0.0.0-anywhere-linux-amd64.tar.gz -C "$build/unpacked"
program=$build/unpacked/handstamp-v0.0.0-anywhere-linux-amd64/handstamp
[ "$("$program" version --json | grep -c '"version":"v0.0.0-anywhere"')" = 1 ]
if file "$program" | grep -q 'dynamically linked'; then echo "the program is not static" >&2; exit 1; fi
cd - >/dev/null
HANDSTAMP_PROGRAMS=$program go test -count=1 -run TestBill ./test/release
chmod -R u+w "$build"/cache-* && rm -rf "$build"/cache-* "$build/one" "$build/two"
