// Makes a HAR file small before it is looked at: what does not matter stays in
// the browser, such as other sites, other cookies and the bodies of answers.

const wanted = new Set(['cookie', 'referer', 'origin', 'set-cookie', 'content-type', 'server', 'via', 'x-cache', 'age', 'cache-control', 'date']);
const ours = /CloudFront-[A-Za-z-]+/;
const isCookie = (h) => /^(set-)?cookie$/i.test(h.name);

/** The text itself, or what matters of it if it is a HAR file. */
export function slim(text) {
  if (!text.trimStart().startsWith('{') || !text.includes('"entries"')) return text;
  let har;
  try {
    har = JSON.parse(text);
  } catch {
    return text;
  }
  const entries = har.log?.entries;
  if (!Array.isArray(entries)) return text;
  const kept = entries.filter(matters);
  const withCookies = entries.find((e) => headers(e).some(isCookie));
  if (withCookies && !kept.some((e) => headers(e).some(isCookie))) kept.push(withCookies); // so that it does not look stripped
  const pages = (har.log.pages ?? []).map(({ id, title }) => ({ id, title }));
  return JSON.stringify({ log: { pages, entries: (kept.length ? kept : entries.slice(0, 200)).map(trim) } });
}

const headers = (e) => [...(e.request?.headers ?? []), ...(e.response?.headers ?? [])];

function matters(e) {
  const status = e.response?.status ?? 0;
  return status === 403 || status === 413 || status === 0 || ours.test(e.request?.url ?? '') || /[?&]Key-Pair-Id=/.test(e.request?.url ?? '')
    || headers(e).some((h) => isCookie(h) && ours.test(h.value))
    || (e.request?.method !== 'GET' && headers(e).some((h) => /^(via|x-cache)$/i.test(h.name) && /cloudfront/i.test(h.value)));
}

function trim(e) {
  const content = e.response?.content ?? {};
  return {
    startedDateTime: e.startedDateTime,
    pageref: e.pageref,
    request: { method: e.request?.method, url: e.request?.url, headers: trimHeaders(e.request?.headers), cookies: (e.request?.cookies ?? []).filter((c) => ours.test(c.name)).map(({ name, value }) => ({ name, value })) },
    response: { status: e.response?.status ?? 0, headers: trimHeaders(e.response?.headers), content: { mimeType: content.mimeType, text: (content.text ?? '').slice(0, 2048), encoding: content.encoding } },
  };
}

function trimHeaders(list = []) {
  return list.filter((h) => wanted.has(h.name.toLowerCase())).map(({ name, value }) => {
    if (/^cookie$/i.test(name)) return { name, value: value.split(/;\s*/).map((c) => (ours.test(c) ? c : 'other=1')).join('; ') };
    if (/^set-cookie$/i.test(name)) return { name, value: value.split('\n').map((c) => (ours.test(c) ? c : 'other=1')).join('\n') };
    return { name, value };
  });
}
