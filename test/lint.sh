#!/usr/bin/env bash
# Static checks, each in a pinned version: lint.sh STATICCHECK GOSEC GOVULNCHECK.
# GOVULNDB_TGZ names an archive of the Go vulnerability database to use offline.
set -euo pipefail
cd "$(dirname "$0")/.."

unformatted=$(git ls-files '*.go' | xargs -r gofmt -l)
if [ -n "$unformatted" ]; then
  echo "gofmt would change:" "$unformatted" >&2
  exit 1
fi
go vet ./...
go mod verify
go mod tidy -diff
go run "honnef.co/go/tools/cmd/staticcheck@$1" ./...
# G101: words like "credentials" in texts; G104: errors of writes to a viewer who has gone; G304: files that the operator
# names; G115: lengths that are capped before; G124: cookies whose attributes are computed;
# G401, G505: SHA-1 is CloudFront's default hash, the signed text is ours.
go run "github.com/securego/gosec/v2/cmd/gosec@$2" -quiet -exclude=G101,G104,G115,G124,G304,G401,G505 -exclude-dir=test ./...
if [ -n "${GOVULNDB_TGZ:-}" ]; then
  mkdir -p build
  tar xzf "$GOVULNDB_TGZ" -C build
  go run "golang.org/x/vuln/cmd/govulncheck@$3" -db "file://$PWD/build/govulndb" ./...
elif ! go run "golang.org/x/vuln/cmd/govulncheck@$3" ./...; then
  echo "lint: govulncheck failed; without the network set GOVULNDB_TGZ to an archive of the database" >&2
  exit 1
fi
if git grep -n 'AddInsecureBypassPattern' -- '*.go'; then
  echo "lint: AddInsecureBypassPattern must not be used" >&2
  exit 1
fi
