// Turns a report into elements. Everything that comes from a request becomes
// text, never markup.

/** Makes an element: tag.class.class, attributes, children. */
export function el(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split('.');
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(' ');
  return fill(node, attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat().filter((c) => c !== undefined && c !== null && c !== false));
  return node;
}

const icon = (name) => svg('svg', { 'aria-hidden': 'true' }, svg('use', { href: `#i-${name}` }));

const bases = {
  documented: 'AWS documents it.',
  observed: 'People have seen it; AWS does not say.',
  assumed: 'Nobody knows for sure; this is the stricter reading.',
};
const certainties = {
  proved: 'Tried out, or plain from the facts.',
  likely: 'The facts point to it.',
  possible: 'Nothing speaks against it.',
};
const badge = (kind, text = kind) => el(`span.badge.${kind}`, { title: bases[kind] ?? certainties[kind] }, text);

/** The first sentence of what is said about a report, for screen readers. */
export function summary(report) {
  const verdict = report.allowed ? 'Allowed.' : `Refused with ${report.code}.`;
  const [first] = report.causes;
  return first ? `${verdict} ${first.id}, ${first.certainty}: ${first.says}` : verdict;
}

/** Everything about one report. */
export function draw(report) {
  const left = el('div.column', {}, causes(report), warnings(report));
  const right = policy(report);
  const columns = right && left.childElementCount ? el('div.columns', {}, left, right) : right ?? left;
  return [verdict(report), columns, steps(report)];
}

function verdict(report) {
  const status = report.code === 'RequestEntityTooLarge' ? 413 : 403;
  const came = report.answered && (report.answered.code ?? '') !== report.code
    ? el('p.seen', {}, `What came back: ${report.answered.status} ${report.answered.code ?? ''}`) : null;
  const answer = report.allowed
    ? el('p.answer', {}, 'CloudFront would serve this request.')
    : el('p.answer', {}, 'CloudFront would answer ', el('code', {}, `${status} ${report.code}`), '.');
  return el(`section.card.verdict${report.allowed ? '.good' : ''}`, { 'aria-label': 'Verdict' },
    el('div.verdict-main', {}, el('h2', {}, report.allowed ? 'Allowed' : 'Refused'), answer, came),
    el('p.address', {}, el('b', {}, report.method), el('span', {}, report.url)),
    stamp(report.allowed ? '200' : String(status), report.allowed ? 'WELCOME' : 'NO ENTRY'));
}

function stamp(big, small) {
  return svg('svg', { class: 'ink', viewBox: '0 0 128 128', 'aria-hidden': 'true' },
    svg('circle', { cx: 64, cy: 64, r: 58, 'stroke-width': 4 }),
    svg('circle', { cx: 64, cy: 64, r: 47, 'stroke-width': 1.6, 'stroke-dasharray': '4 3' }),
    svg('text', { class: 'big', x: 64, y: 70 }, big),
    svg('text', { class: 'small', x: 64, y: 87 }, small));
}

function cause(c, first) {
  return el(`li.cause${first ? '.first' : ''}`, {},
    el('div.head', {}, el('span.id', {}, c.id), badge(c.certainty), badge(c.basis)),
    el('p.says', {}, c.says),
    el('p.fix', {}, icon('wrench'), el('span', {}, el('span.sr', {}, 'Fix: '), c.fix)));
}

function causes(report) {
  if (!report.causes.length) return null;
  const sure = report.causes.filter((c) => c.certainty === 'proved');
  const shown = sure.length ? sure : report.causes.slice(0, 3);
  const rest = report.causes.filter((c) => !shown.includes(c));
  return el('section.card', {}, el('h2', {}, shown.length > 1 && sure.length ? 'The causes' : sure.length ? 'The cause' : 'The likely causes'),
    el('ol.causes', {}, shown.map((c, i) => cause(c, i === 0))),
    rest.length > 0 && el('details.others', {}, el('summary', {}, rest.length === 1 ? 'One more that is possible' : `${rest.length} more that are possible`),
      el('ol.causes', {}, rest.map((c) => cause(c)))));
}

function warnings(report) {
  if (!report.warnings?.length) return null;
  return el('section.card.warnings', {}, el('h2', {}, 'Mind this too'), el('ol.causes', {}, report.warnings.map((c) => cause(c))));
}

const pretty = (text) => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

function policy(report) {
  const p = report.policy;
  if (!p) return null;
  const row = (name, value) => value && el('div', {}, el('dt', {}, name), el('dd', {}, value));
  return el('section.card', {}, el('h2', {}, p.in === 'unsent' ? 'What the browser kept' : 'What was signed'),
    validity(report),
    el('dl.facts', {},
      row('Form', `${p.form} policy, ${{ url: 'in the URL', unsent: 'in cookies that were not sent' }[p.in] ?? 'in the cookies'}`),
      row('Resource', p.resource), row('Viewers from', p.ip_address), row('Key pair ID', p.key_pair_id), row('Hash', p.hash)),
    p.text && el('details', {}, el('summary', {}, p.form === 'canned' ? 'The policy, rebuilt from the request' : 'The policy, decoded'), el('pre', { tabindex: 0 }, pretty(p.text))));
}

const utc = (date) => `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** How far apart two moments are, in words. */
export function distance(ms) {
  const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];
  let seconds = Math.round(Math.abs(ms) / 1000);
  const parts = [];
  for (const [name, size] of units) {
    if (seconds >= size && parts.length < 2) {
      parts.push(`${Math.floor(seconds / size)} ${name}`);
      seconds %= size;
    } else if (parts.length) break;
  }
  const text = parts.join(' ') || '0 s';
  return ms < 0 ? `${text} ago` : `in ${text}`;
}

function validity(report) {
  const p = report.policy;
  if (!p.expires) return null;
  const now = new Date(report.at);
  const end = new Date(p.expires);
  const start = p.not_before ? new Date(p.not_before) : null;
  const out = now >= end || (start && now <= start);
  const time = (name, date, kind = '', far = true) => [el(`dt${kind}`, {}, name),
    el('dd', { title: date.toLocaleString() }, utc(date), far && el('span', {}, ` · ${distance(date - now)}`))];
  const box = el('div', {});
  const redraw = () => box.replaceChildren(timeline(now, start, end, out, box.clientWidth || 480));
  new ResizeObserver(redraw).observe(box);
  return el('div', {}, box, el('dl.times', {}, start && time('After', start), time('Now', now, `.now${out ? '.out' : ''}`, false), time('Before', end)));
}

/** The validity as a bar, with now as a pin above it. */
function timeline(now, start, end, out, width) {
  const points = [now, end, ...(start ? [start] : [])].map(Number);
  const span = Math.max(...points) - Math.min(...points) || 60_000;
  const low = Math.min(...points) - span * (start ? 0.12 : 0.4);
  const high = Math.max(...points) + span * 0.12;
  const x = (date) => 2 + ((Number(date) - low) / (high - low)) * (width - 4);
  const from = start ? x(start) : 2;
  const label = out ? (now >= end ? 'now: over' : 'now: not yet') : 'now';
  const half = label.length * 3.6 + 12;
  const middle = Math.min(Math.max(x(now), half), width - half);
  const alt = `Valid ${start ? `after ${utc(start)} and ` : ''}before ${utc(end)}. Now is ${utc(now)}, ${out ? 'outside of it' : 'within it'}.`;
  return svg('svg', { class: 'timeline', viewBox: `0 0 ${width} 74`, width, height: 74, role: 'img', 'aria-label': alt },
    svg('rect', { class: 'track', x: 2, y: 46, width: width - 4, height: 16, rx: 8 }),
    svg('rect', { class: 'valid', x: from, y: 46, width: Math.max(x(end) - from, 2), height: 16, rx: Math.min(8, (x(end) - from) / 2) }),
    start && svg('line', { class: 'edge', x1: from, x2: from, y1: 40, y2: 68 }),
    svg('line', { class: 'edge', x1: x(end), x2: x(end), y1: 40, y2: 68 }),
    svg('line', { class: out ? 'now out' : 'now', x1: x(now), x2: x(now), y1: 26, y2: 70 }),
    svg('rect', { class: out ? 'pin out' : 'pin', x: middle - half, y: 2, width: half * 2, height: 25, rx: 12.5 }),
    svg('text', { x: middle, y: 19 }, label));
}

function step(s) {
  const kind = s.skipped ? 'off' : s.passed ? 'ok' : 'bad';
  const [name, word] = { off: ['dash', 'not looked at'], ok: ['check', 'passed'], bad: ['cross', 'failed'] }[kind];
  return el(`li.step.${kind}`, {}, el('span.mark', {}, icon(name), el('span.sr', {}, word)), el('span.looked', {}, s.looked),
    el('span.found', {}, s.code && el('code', {}, `${s.code} `), s.found), badge(s.basis));
}

function steps(report) {
  const failed = report.steps.filter((s) => s.code).length;
  const title = failed ? `What was looked at: ${failed} of ${report.steps.length} failed` : `What was looked at: all ${report.steps.length} passed`;
  const legend = Object.entries(bases).map(([name, text]) => el('li', {}, badge(name), el('span', {}, text)));
  return el('section.card', {}, el('h2', {}, title), el('ol.steps', {}, report.steps.map(step)), el('ul.legend', {}, legend));
}

/** The list of requests, when a recording has several. */
export function requests(reports, current, choose) {
  return el('section.card', {}, el('h2', {}, `${reports.length} requests`),
    el('div.requests', {}, reports.map((r, i) => el('button', { type: 'button', 'aria-current': i === current ? 'true' : 'false', onclick: () => choose(i) },
      el(`span.code${r.allowed ? '.good' : ''}`, {}, r.allowed ? 'allowed' : r.code), el('span.url', {}, `${r.method} ${r.url}`),
      r.causes.length > 0 && el('span.why', {}, `${r.causes[0].id} · ${r.causes[0].certainty}`)))));
}

/** The report as text, to be sent to somebody. It holds no signature. */
export function asText(report) {
  const lines = [summary(report), `${report.method} ${report.url}`, `judged at ${utc(new Date(report.at))}`, ''];
  for (const c of [...report.causes, ...(report.warnings ?? [])]) lines.push(`${c.id} (${c.certainty}; ${c.basis}) ${c.says}`, `  fix: ${c.fix}`);
  lines.push('', ...report.steps.map((s) => `${s.skipped ? '--  ' : s.passed ? 'ok  ' : 'FAIL'} ${s.looked}: ${s.found}`));
  return lines.join('\n');
}
