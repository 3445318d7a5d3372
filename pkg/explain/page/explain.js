// The page of "handstamp explain". It talks to the process that serves it and
// to nobody else.
import { asText, draw, el, requests, summary } from '/explain/draw.js';
import { slim } from '/explain/har.js';

const $ = (id) => document.getElementById(id);
const limit = 1_000_000; // bytes that the process takes, with some room

let keys = []; // those of an example

async function ask(question) {
  const answer = await fetch('/explain/judge', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(question), cache: 'no-store',
  });
  const body = await answer.json().catch(() => ({ error: `the process answered ${answer.status}` }));
  if (!answer.ok) throw new Error(body.error);
  return body;
}

function question() {
  const own = $('key-pem').value.trim() ? [{ id: $('key-id').value.trim(), pem: $('key-pem').value }] : [];
  return { text: slim($('text').value), keys: [...keys, ...own], at: $('at').value.trim(), ip: $('ip').value.trim(), page: $('page').value.trim() };
}

async function submit(event) {
  event?.preventDefault();
  const asked = question();
  if (!asked.text.trim()) {
    $('text').focus();
    return fail('There is nothing to look at yet. Paste a request into the box.');
  }
  if (new Blob([asked.text]).size > limit) return fail('That is more than 1 MB. Keep only the requests that were refused.');
  $('go').disabled = true;
  $('status').textContent = 'Looking.';
  try {
    show(await ask(asked));
  } catch (err) {
    fail(err instanceof TypeError ? 'The process that serves this page does not answer. Is it still running?' : `${err.message}.`);
  } finally {
    $('go').disabled = false;
  }
}

function fail(text) {
  $('result').hidden = true;
  $('status').textContent = '';
  $('problem').textContent = text;
  $('problem').scrollIntoView({ block: 'nearest' });
}

function show({ reports, found }) {
  $('problem').textContent = '';
  $('clear').hidden = false;
  const select = (i, focus) => {
    const list = reports.length > 1 ? requests(reports, i, (n) => select(n, false)) : null;
    $('result').replaceChildren(...[list, ...draw(reports[i])].filter(Boolean), copyButton(reports[i]));
    $('status').textContent = `${reports.length > 1 ? `Request ${i + 1} of ${reports.length}, ${found} in the recording. ` : ''}${summary(reports[i])}`;
    if (!focus) $('result').querySelector('[aria-current="true"]')?.focus({ preventScroll: true });
  };
  $('result').hidden = false;
  select(0, true);
  $('result').focus({ preventScroll: true });
  $('result').scrollIntoView({ behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth', block: 'start' });
}

function copyButton(report) {
  const button = el('button.quiet', { type: 'button', onclick: async () => {
    await navigator.clipboard.writeText(asText(report));
    $('status').textContent = 'Copied.';
    button.textContent = 'Copied';
  } }, 'Copy the report');
  return el('p.copy', {}, button, el('span', {}, 'It holds no signature, so you can send it to somebody.'));
}

async function open(file) {
  if (!file) return;
  const text = await file.text();
  keys = [];
  $('text').value = slim(text);
  submit();
}

function reset() {
  keys = [];
  for (const id of ['text', 'key-id', 'key-pem', 'page', 'at', 'ip']) $(id).value = '';
  $('result').hidden = true;
  $('problem').textContent = $('status').textContent = '';
  $('clear').hidden = true;
  $('text').focus();
}

function listen() {
  $('form').addEventListener('submit', submit);
  $('clear').addEventListener('click', reset);
  $('text').addEventListener('input', () => { keys = []; });
  $('text').addEventListener('keydown', (e) => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) submit(e); });
  $('file').addEventListener('change', () => { open($('file').files[0]); $('file').value = ''; });
  const paper = $('form');
  for (const type of ['dragenter', 'dragover']) addEventListener(type, (e) => { if (e.dataTransfer?.types.includes('Files')) { e.preventDefault(); paper.classList.add('over'); } });
  for (const type of ['dragleave', 'drop']) addEventListener(type, (e) => { if (type === 'drop' || !e.relatedTarget) paper.classList.remove('over'); });
  addEventListener('drop', (e) => { if (e.dataTransfer?.files.length) { e.preventDefault(); open(e.dataTransfer.files[0]); } });
}

/** Says which keys are known here, and where pasted text goes. */
async function introduce() {
  $('text').placeholder = 'https://media.example.org/castle/audio/01.m4a\nCookie: CloudFront-Policy=eyJTdGF0ZW1lbnQ…; CloudFront-Signature=…; CloudFront-Key-Pair-Id=K2JCJMDEHXQW5F';
  if (!/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(location.hostname)) {
    $('private-head').textContent = `Nothing goes further than ${location.host}.`;
    $('private-rest').textContent = 'What you paste goes to the handstamp that runs there, is judged and forgotten: it is not stored, not logged, not sent on.';
  }
  const known = await (await fetch('/explain/keys.json')).json();
  $('trust').append(known.length ? 'Trusts ' : 'Trusts no key yet', ...known.slice(0, 3).flatMap((k, i) => [i ? ', ' : '', el('code', { title: k.kind }, k.id)]), known.length > 3 ? ` and ${known.length - 3} more` : '');
  $('more').open = known.length === 0;
}

async function offerExamples() {
  const examples = await (await fetch('/explain/examples.json')).json();
  $('examples').querySelector('ul').append(...examples.map((x) => el('li', {}, el('button', { type: 'button', onclick: () => {
    reset();
    [$('text').value, $('at').value, keys] = [x.text, x.at ?? '', x.keys];
    submit();
  } }, x.title))));
  $('examples').hidden = false;
}

listen();
introduce();
offerExamples();
