// A CloudFront Function for viewer requests (runtime cloudfront-js-2.0): it
// refuses signed cookies and URLs that handstamp has taken back. Associate it
// with the paid cache behaviors only, those that have a trusted key group.
//
// CloudFront checks the signature by itself, so nothing here believes what a
// viewer sends: whoever changes a policy to get past this function has a policy
// that opens nothing. The language is held to what the runtime is known to
// have: "async arguments" are not supported, so an await stands by itself.
import cf from 'cloudfront';
const crypto = require('crypto');
const kvs = cf.kvs();

// The cookie with the sessions, where it reaches the media; empty asks for none.
const SESSION_COOKIE = '';
// What to do when the store cannot be read: true lets visitors in.
const FAIL_OPEN = true;

// These are the same in pkg/denylist.
const PREFIX_KEY = 'handstamp:p:';
const SESSION_KEY = 'handstamp:s:';
const MAX_DEPTH = 8;
const MAX_SESSIONS = 4;

const MAX_KEYS = 16; // a visitor of ours needs as many as the path has folders
const SLUG = /^[a-z0-9-]{1,63}$/;
const NOT_LISTED = null;

async function handler(event) {
    const request = event.request;
    const gone = await recalled(credentials(request));
    if (gone) {
        return refusal();
    }
    if (SESSION_COOKIE === '') {
        return request;
    }
    const known = await admitted(request);
    return known ? request : refusal();
}

// recalled tells whether one of the paths is below a prefix that was taken
// back when the credentials were already out. More paths than anybody needs are
// refused, so that made-up policies cannot make the function run out of time.
async function recalled(shown) {
    const keys = prefixKeys(shown.paths);
    if (keys.length > MAX_KEYS) {
        return true;
    }
    for (let i = 0; i < keys.length; i++) {
        const until = await lookup(keys[i]);
        if (until !== NOT_LISTED && !(shown.expires > until)) { // or one is not a number
            return true;
        }
    }
    return false;
}

// admitted tells whether one of the sessions shown is not on the list. Viewers
// with tickets for two attractions show two, and keep one when one is revoked.
async function admitted(request) {
    const sessions = values(request.cookies, SESSION_COOKIE).join('.').split('.').filter(s => s !== '');
    for (let i = 0; i < sessions.length && i < MAX_SESSIONS; i++) {
        const hash = crypto.createHash('sha256').update(sessions[i]).digest('hex');
        const until = await lookup(SESSION_KEY + hash);
        if (until === NOT_LISTED) {
            return true;
        }
    }
    return false;
}

// lookup returns the seconds since 1970 that stand at a key.
async function lookup(key) {
    try {
        const listed = await kvs.exists(key);
        if (!listed) {
            return NOT_LISTED;
        }
        const value = await kvs.get(key);
        return Number(value);
    } catch (e) {
        console.log('denylist: cannot read ' + key + ': ' + e);
        return FAIL_OPEN ? NOT_LISTED : Infinity;
    }
}

// credentials returns what the request shows, in cookies or in the query: the
// paths that it is about, and when the first of the credentials ends, in seconds
// since 1970. What cannot be read has ended.
function credentials(request) {
    const policies = values(request.cookies, 'CloudFront-Policy').concat(values(request.querystring, 'Policy'));
    const ends = values(request.cookies, 'CloudFront-Expires').concat(values(request.querystring, 'Expires')).map(Number);
    const paths = [request.uri];
    for (let i = 0; i < policies.length; i++) {
        const policy = read(policies[i]);
        ends.push(policy.expires);
        paths.push(policy.path);
    }
    return { paths: paths, expires: ends.length > 0 ? Math.min.apply(null, ends) : 0 };
}

// read returns the path and the end of a custom policy.
function read(text) {
    try {
        const base64 = text.replace(/-/g, '+').replace(/_/g, '=').replace(/~/g, '/');
        const statements = JSON.parse(Buffer.from(base64, 'base64').toString()).Statement;
        const end = statements[0].Condition.DateLessThan['AWS:EpochTime'];
        const resource = statements[0].Resource;
        const path = resource.slice(resource.indexOf('/', resource.indexOf('://') + 3));
        return { path: path, expires: statements.length === 1 && typeof end === 'number' ? end : 0 };
    } catch (e) {
        return { path: '', expires: 0 };
    }
}

// prefixKeys returns the keys of the folders that the paths are in, each once.
function prefixKeys(paths) {
    const keys = [];
    for (let i = 0; i < paths.length; i++) {
        const segments = paths[i].split('/').slice(1, -1);
        let key = PREFIX_KEY;
        for (let j = 0; j < segments.length && j < MAX_DEPTH && SLUG.test(segments[j]); j++) {
            key += (j > 0 ? '/' : '') + segments[j];
            if (keys.indexOf(key) < 0) {
                keys.push(key);
            }
        }
    }
    return keys;
}

// values returns all values of a cookie or query parameter.
function values(fields, name) {
    const field = fields && fields[name];
    if (!field) {
        return [];
    }
    return field.multiValue ? field.multiValue.map(v => v.value) : [field.value];
}

function refusal() {
    return {
        statusCode: 403,
        statusDescription: 'Forbidden',
        headers: {
            'cache-control': { value: 'no-store' },
            'content-type': { value: 'application/problem+json' },
        },
        body: '{"status":403,"code":"revoked","title":"The admission was taken back"}',
    };
}
