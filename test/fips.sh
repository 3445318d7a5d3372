#!/usr/bin/env bash
# Tests in FIPS 140 mode, where Go refuses SHA-1, keys that are too small and
# random numbers from elsewhere. Of pkg/cloudfront only the tests whose signatures
# are all SHA-256: most of its tables have CloudFront's default, SHA-1, in one row
# or another. Packages that are not here use short keys in their tests.
set -euo pipefail
cd "$(dirname "$0")/.."
export GODEBUG=fips140=only

cloudfront='^(TestFIPS|TestStamp(Shared|FollowsRing|Alone|Keeps|DropsEnded|SelfCheck|Samples|Fails)'
cloudfront+='|TestSignedURL(|Canned|Refuses)|TestIsolation(|Decide)|TestPolicy(Text|Canned)|TestSitePrefix.*|TestCovers.*'
cloudfront+='|TestParseResource.*|TestKeyGroup|TestKeyPairIDs|TestCannedText|TestEncode|TestDecodeRefuses|Fuzz(Decode|Match|PolicyText|Prefix))$'

go test -count=1 -timeout 5m ./pkg/keyring/... ./pkg/book/sqlite ./pkg/book/memory ./pkg/config ./pkg/denylist ./pkg/clientip ./pkg/edge ./test/rotation
go test -count=1 -timeout 5m -run "$cloudfront" ./pkg/cloudfront
