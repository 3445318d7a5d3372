#!/usr/bin/env bash
# What the container does, where there is no Docker: container.sh IMAGE CROWD WORK.
# IMAGE is a folder as deploy/docker/image.sh makes it, CROWD the program of
# this folder, WORK an empty folder. The gateway and the edge of deploy/docker run with nothing but
# the image, its mounts, and a network of their own: as UID 65532, without any
# capability, with a root that cannot be written.
#
# test/anywhere.sh starts it below "unshare --mount --net --pid --fork", so that
# its processes and mounts end with it.
set -euo pipefail
image=$1 crowd=$2 work=$3
project=$(cd "$(dirname "$0")/../.." && pwd)
mount --make-rprivate /
ip link set lo up

say() { printf '   %s\n' "$*"; }
fail() { printf 'container: %s\n' "$*" >&2; tail -n 5 "$work"/*.log >&2; exit 1; }

# The image, by the COPY lines of the Dockerfile as BuildKit reads them: what is in
# the source gets the owner, the destination keeps its own if it is there.
mkdir -m 0755 "$work/image"
while read -ra words; do
  owner=0:0
  for word in "${words[@]}"; do
    case $word in --chown=*) owner=${word#--chown=} ;; esac
  done
  from=$image${words[-2]#/image} to=$work/image${words[-1]}
  if [ ! -d "$to" ]; then mkdir -p "$to" && chown "$owner" "$to"; fi
  cp -r --preserve=mode "$from/." "$to/"
  (cd "$from" && find . -mindepth 1 -print0) | (cd "$to" && xargs -0r chown "$owner")
done < <(grep '^COPY --from=build' "$project/deploy/docker/Dockerfile")
image=$work/image

# The mounts of compose.yaml. A new volume takes over the owner and the mode of the
# image's folder.
mkdir -p "$work/root" "$work/book" "$work/etc"
chown --reference="$image/var/lib/handstamp" "$work/book"
chmod --reference="$image/var/lib/handstamp" "$work/book"
cp -r "$project/examples/castle" "$project/deploy/docker/config.yaml" "$project/deploy/docker/edge.yaml" "$work/etc/"
(
  echo code,attraction,packages
  for i in $(seq -f %05g 1 2000); do echo "ANYWHERE-$i,castle,audio"; done
) >"$work/etc/castle/tickets.csv"
mount --bind "$image" "$work/root"
mount -o remount,bind,ro,nosuid,nodev "$work/root"
mount -t tmpfs -o size=8m none "$work/root/etc/handstamp"
mount -t tmpfs -o size=64m,mode=1777,noexec,nosuid,nodev none "$work/root/tmp"
cp -r "$work/etc/." "$work/root/etc/handstamp/"
mkdir -p "$work/root/etc/handstamp/run" "$work/root/etc/handstamp/media" "$work/root/etc/handstamp/keys"
cp -r "$project/pkg/guide/sample/." "$work/root/etc/handstamp/media/"
head -c 32 /dev/urandom | base64 >"$work/root/etc/handstamp/run/pepper"
chown 65532:65532 "$work/root/etc/handstamp/keys"
mount --bind "$work/book" "$work/root/var/lib/handstamp"

# confine LIMITS... -- ARGUMENTS...: sets command to what starts the image's
# program with them.
confine() {
  local limits=()
  while [ "$1" != -- ]; do limits+=("$1"); shift; done
  shift
  command=(prlimit --core=0 --nproc=4096 "${limits[@]}"
    setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid --inh-caps=-all
    chroot --userspec=65532:65532 --groups= "$work/root" /handstamp "$@")
}
confined() {
  confine "$@"
  "${command[@]}"
}

# These files are the container's /run/secrets and /srv; the image has no such
# folders, so they are mounted below /etc/handstamp and named by variables.
export HANDSTAMP_HTTP_LISTEN=:8080 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
settings=book.pepper=file:/etc/handstamp/run/pepper
sed -i 's#/srv/media#/etc/handstamp/media#' "$work/root/etc/handstamp/edge.yaml"

confined -- keys new --dir /etc/handstamp/keys --id KCOMPOSE0001 >/dev/null
cp "$work/root/etc/handstamp/keys/KCOMPOSE0001.pub.pem" "$work/root/etc/handstamp/visitors.pub.pem"
mount -o remount,ro "$work/root/etc/handstamp"
confined -- version
confined -- check --config /etc/handstamp/config.yaml --set "$settings"

# start NAME LIMITS... -- ARGUMENTS...: in the background, with its log; its
# process ID is in pid.
start() {
  local log=$work/$1.log
  shift
  confine "$@"
  "${command[@]}" >>"$log" 2>&1 &
  pid=$!
}
# ready URL: once the program answers there.
ready() {
  for _ in $(seq 100); do
    if confined -- health --url "$1" 2>/dev/null; then return; fi
    sleep 0.1
  done
  fail "$1 does not answer"
}
# peak PID: the most memory that it ever had, in MiB.
peak() { awk '/^VmHWM/ {print int($2 / 1024)}' "/proc/$1/status"; }
# leave PID: SIGTERM must end it with status 0.
leave() {
  kill -TERM "$1"
  wait "$1" || fail "SIGTERM ended the gateway with $?"
}
serve=(-- serve --config /etc/handstamp/config.yaml --set "$settings,http.drain=0s")

say "the gateway and the edge of compose.yaml, read-only, as UID 65532"
if confined -- health 2>/dev/null; then fail "health is 0 without a gateway"; fi
start gateway "${serve[@]}"
gateway=$pid
ready http://127.0.0.1:8080/healthz
start edge -- edge --config /etc/handstamp/edge.yaml
edge=$pid
ready http://127.0.0.1:8081/castle/free/welcome.m4a
grep -q '^CapEff:\s*0000000000000000$' "/proc/$gateway/status" || fail "the gateway has capabilities"
grep -q '^Uid:\s*65532\s65532\s65532' "/proc/$gateway/status" || fail "the gateway is not UID 65532"
media=http://127.0.0.1:8081/castle/audio/hall.m4a
want() { # want STATUS CURL-ARGUMENTS...
  local status=$1 got
  shift
  got=$(curl -s -o /dev/null -w '%{http_code}' "$@")
  [ "$got" = "$status" ] || fail "curl $* = $got, want $status"
}
want 403 "$media"
want 200 -c "$work/jar" -H 'Content-Type: application/json' -d '{"ticket":"ANYWHERE-02000"}' http://127.0.0.1:8080/v1/tickets/verify
want 200 -b "$work/jar" "$media"
want 403 "$media"
confined -- book backup --config /etc/handstamp/config.yaml --set "$settings" --to /var/lib/handstamp/copy.db >/dev/null
if touch "$work/root/x" 2>/dev/null; then fail "the root can be written"; fi
if confined -- book restore --config /etc/handstamp/config.yaml --set "$settings" --from /var/lib/handstamp/copy.db 2>/dev/null; then fail "a book was restored over one that is there"; fi
leave "$edge"
leave "$gateway"
mkdir "$work/book/lost" && mv "$work"/book/handstamp.db* "$work/book/lost/"
confined -- book restore --config /etc/handstamp/config.yaml --set "$settings" --from /var/lib/handstamp/copy.db
[ "$(stat -c '%u %a' "$work/book/handstamp.db")" = "65532 600" ] || fail "the restored book is not for the gateway alone"

say "one processor, 128 MiB"
GOMAXPROCS=1 GOMEMLIMIT=100MiB start small --data=$((128 << 20)) "${serve[@]}"
ready http://127.0.0.1:8080/readyz
"$crowd" -url http://127.0.0.1:8080 -tickets ANYWHERE-%05d -visitors 400
say "peak $(peak "$pid") MiB resident"
[ "$(peak "$pid")" -le 128 ] || fail "more than 128 MiB"
leave "$pid"

say "128 files and connections"
start few --nofile=128:128 "${serve[@]}"
ready http://127.0.0.1:8080/readyz
"$crowd" -url http://127.0.0.1:8080 -tickets ANYWHERE-%05d -visitors 200 -idle 300
kill -0 "$pid" || fail "the gateway has died"
leave "$pid"
