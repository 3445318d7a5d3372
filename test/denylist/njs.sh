#!/usr/bin/env bash
# The function in njs, an engine that knows little more JavaScript than AWS
# documents for cloudfront-js-2.0: what Node alone understands fails here.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/cloudfront" <<'JS'
const entries = {'handstamp:p:castle': '1782908160', 'handstamp:s:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad': '1782908160'};
export default {
    kvs: function () {
        return {
            exists: async function (key) { return entries[key] !== undefined; },
            get: async function (key) { return entries[key]; },
        };
    },
};
JS

sed "s/^const SESSION_COOKIE = '';/const SESSION_COOKIE = 'session';/" deploy/denylist/function.js >"$folder/main.js"
cat >>"$folder/main.js" <<'JS'

async function check(says, end, session, denied) {
    const policy = JSON.stringify({Statement: [{Resource: 'https://media.example.org/castle/*', Condition: {DateLessThan: {'AWS:EpochTime': end}}}]});
    const value = Buffer.from(policy).toString('base64').replace(/\+/g, '-').replace(/=/g, '_').replace(/\//g, '~');
    const cookies = {'CloudFront-Policy': {value: value}, session: {value: 'x', multiValue: [{value: session}]}};
    const got = await handler({request: {uri: '/castle/01.m4a', cookies: cookies, querystring: {}}});
    console.log((got.statusCode === 403) === denied ? 'ok' : 'not ok', says);
}

async function main() {
    await check('old cookies', 1782908160, 'alive', true);
    await check('fresh cookies', 1782908220, 'alive', false);
    await check('a revoked session', 1782908220, 'abc', true);
    await check('one of two sessions', 1782908220, 'abc.alive', false);
}
main();
JS

njs -p "$folder" "$folder/main.js" >"$folder/out"
cat "$folder/out"
if grep -q '^not ok' "$folder/out" || [ "$(grep -c '^ok' "$folder/out")" != 4 ]; then
  echo "the function does not do in njs what it does in Node" >&2
  exit 1
fi
