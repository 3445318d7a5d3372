// Drives the demo as a visitor does, in headless Chromium:
//
//   node demo.mjs PATH_TO_HANDSTAMP PATH_TO_CHROMIUM FOLDER_FOR_SCREENSHOTS
//
// It starts the demo itself, on a free port, and ends it. It prints a line a
// check and "N passed, M failed".
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { corners } from './corners.mjs';

const [binary, browserPath, shots] = process.argv.slice(2);
mkdirSync(shots, { recursive: true });

let passed = 0;
let failed = 0;
async function check(name, action) {
  try {
    await action();
    passed++;
    console.log(`ok    ${name}`);
  } catch (err) {
    failed++;
    console.log(`FAIL  ${name}\n      ${String(err.message ?? err).split('\n').slice(0, 6).join('\n      ')}`);
  }
}

function equal(got, want, what) {
  if (got !== want) throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
}

/** Starts the demo and resolves with the line that it prints when ready. */
function startDemo() {
  const demo = spawn(binary, ['demo', '--json', '--no-browser', '--addr', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the demo was not ready after 10 s')), 10_000);
    createInterface({ input: demo.stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve({ demo, info: JSON.parse(line) });
    });
    demo.once('error', reject);
  });
}

const { demo, info } = await startDemo();
const browser = await chromium.launch({
  executablePath: browserPath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
});
try {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  const complaints = [];
  page.on('pageerror', (err) => complaints.push(String(err)));
  page.on('console', (message) => {
    // a refused ticket is a 403 that the browser reports by itself
    if (message.type() === 'error' && !/status of (401|403)|ERR_FAILED/.test(message.text())) complaints.push(message.text());
  });
  const ticket = (attraction) => info.tickets.find((t) => t.attraction === attraction).code;
  const status = (path) => page.evaluate(async (p) => (await fetch(p)).status, path);

  await check('the chooser shows both attractions', async () => {
    await page.goto(info.url);
    await page.waitForSelector('[data-attraction="castle"]');
    await page.waitForSelector('[data-attraction="zoo"]');
    await page.screenshot({ path: `${shots}/1-chooser.png` });
  });

  await check('the paid stops are locked, the free one plays', async () => {
    await page.goto(`${info.url}/#/castle`);
    await page.waitForSelector('[data-item][data-locked="true"]');
    await page.screenshot({ path: `${shots}/2-locked.png` });
    equal(await status(info.paid.castle[0]), 403, 'a paid file without a ticket');
    equal(await status(info.free[0]), 200, 'a free file without a ticket');
  });

  await check('a wrong code is refused in words and stays typed', async () => {
    await page.fill('#ticket-input', 'CASTLE-WRONG-CODE');
    await page.click('#ticket-submit');
    await page.waitForFunction(() => document.querySelector('#refusal')?.textContent.trim().length > 20);
    equal(await page.inputValue('#ticket-input'), 'CASTLE-WRONG-CODE', 'the field');
    await page.screenshot({ path: `${shots}/3-refused.png` });
  });

  await check('a ticket unlocks the castle', async () => {
    await page.fill('#ticket-input', ticket('castle'));
    await page.click('#ticket-submit');
    await page.waitForSelector('[data-item][data-locked="false"] [data-play], [data-play]:not([disabled])');
    await page.waitForFunction(() => document.querySelectorAll('[data-locked="true"]').length === 0);
    await page.screenshot({ path: `${shots}/4-unlocked.png`, fullPage: true });
  });

  await check('it is still unlocked after a reload', async () => {
    await page.reload();
    await page.waitForFunction(() => document.querySelectorAll('[data-item]').length > 0 && document.querySelectorAll('[data-locked="true"]').length === 0);
    equal(await status(info.paid.castle[0]), 200, 'a paid file after the reload');
  });

  await check('a paid stop plays: currentTime advances', async () => {
    const paid = await page.evaluate(async () => {
      const content = await (await fetch('/v1/attractions/castle/content')).json();
      return content.items.find((i) => i.package === 'audio' && i.kind === 'audio').id;
    });
    await page.click(`[data-play="${paid}"]`);
    await page.waitForFunction(() => document.querySelector('#player').currentTime > 0.5, null, { timeout: 15_000 });
    const first = await page.evaluate(() => document.querySelector('#player').currentTime);
    await page.waitForTimeout(1_000);
    const later = await page.evaluate(() => document.querySelector('#player').currentTime);
    if (!(later > first + 0.4)) throw new Error(`currentTime went from ${first} to ${later}`);
    equal(await page.evaluate(() => document.querySelector('#player').error), null, 'the player');
    await page.screenshot({ path: `${shots}/5-playing.png` });
  });

  await check('stamps fade after half a minute and are renewed unnoticed', async () => {
    let renewals = 0;
    let refused = 0;
    const watch = (answer) => {
      if (answer.url().endsWith('/v1/admission/renew') && answer.status() === 200) renewals++;
      if (answer.status() === 403) refused++;
    };
    page.on('response', watch);
    await page.evaluate(() => { document.querySelector('#player').loop = true; });
    for (const end = Date.now() + 48_000; Date.now() < end; await page.waitForTimeout(1_000)) {
      equal(await page.evaluate(async (p) => (await fetch(p, { headers: { Range: 'bytes=0-99' }, cache: 'no-store' })).status, info.paid.castle[0]), 206, 'a part of a paid file');
    }
    page.off('response', watch);
    if (renewals < 2) throw new Error(`${renewals} renewals in 48 s, want 2`);
    equal(refused, 0, 'requests refused');
    equal(await page.evaluate(() => document.querySelector('#player').paused), false, 'paused');
  });

  await check('the stamp is out of reach of scripts and opens the castle only', async () => {
    equal(await page.evaluate(() => document.cookie), '', 'document.cookie');
    for (const path of info.paid.castle) equal(await status(path), 200, path);
    for (const path of info.paid.zoo) equal(await status(path), 403, path);
  });

  await check('leaving locks everything again', async () => {
    await page.click('#leave');
    await page.waitForSelector('[data-locked="true"]');
    equal(await status(info.paid.castle[0]), 403, 'a paid file after leaving');
    equal((await page.context().cookies()).length, 0, 'cookies left');
  });

  await corners({ check, equal, browser, info, shots });

  await check('a link from a QR code fills the ticket in and hides it', async () => {
    await page.goto('about:blank');
    await page.goto(`${info.url}/#ticket=${ticket('zoo')}`);
    await page.waitForFunction(() => document.querySelector('#ticket-input')?.value.length > 5);
    if (page.url().includes(ticket('zoo'))) throw new Error(`the code is still in the address: ${page.url()}`);
  });

  await check('a shop\'s link fills the ticket in and hides it', async () => {
    await page.goto('about:blank');
    await page.goto(`${info.url}/t#${ticket('zoo')}`);
    await page.waitForFunction(() => document.querySelector('#ticket-input')?.value.length > 5);
    if (page.url().includes(ticket('zoo'))) throw new Error(`the code is still in the address: ${page.url()}`);
  });

  await check('a ticket whose answer is lost is shown again and takes one seat', async () => {
    await page.route('**/v1/tickets/verify', async (route) => { await route.fetch(); await route.abort(); }, { times: 1 });
    await page.click('#ticket-submit');
    await page.waitForFunction(() => document.querySelector('#refusal')?.textContent.trim().length > 20);
    await page.click('#ticket-submit');
    await page.waitForFunction(() => document.querySelectorAll('[data-item]').length > 0 || document.querySelectorAll('[data-locked="true"]').length === 0);
    const visits = await fetch(`${info.admin_url}/admin/v1/admissions?attraction=zoo`, { headers: { Authorization: `Bearer ${info.admin_token}` } }).then((r) => r.json());
    const visit = visits.admissions.find((v) => v.state === 'active');
    equal(visit.devices ?? visit.taken ?? visit.seats_taken, 1, 'devices');
    await page.goto(`${info.url}/#/zoo`);
  });

  await check('staff revoke a visit, and it ends within what they were told', async () => {
    await page.waitForFunction(() => document.querySelectorAll('[data-item]').length > 0 && document.querySelectorAll('[data-locked="true"]').length === 0);
    equal(await status(info.paid.zoo[0]), 200, 'a paid file before');
    const staff = (path, method = 'GET') => fetch(`${info.admin_url}/admin/v1${path}`, { method, headers: { Authorization: `Bearer ${info.admin_token}` } }).then((r) => r.json());
    const visits = (await staff('/admissions?attraction=zoo')).admissions;
    const visit = visits.find((v) => v.state === 'active');
    const answer = await staff(`/admissions/${visit.id}/revoke`, 'POST');
    if (!(answer.exposure_seconds > 0 && answer.exposure_seconds <= 37)) throw new Error(`exposure ${JSON.stringify(answer)}`);
    const began = Date.now();
    while (await page.evaluate(async (p) => (await fetch(p, { cache: 'no-store' })).status, info.paid.zoo[0]) === 200) {
      if (Date.now() - began > (answer.exposure_seconds + 1) * 1000) throw new Error(`still open after ${answer.exposure_seconds} s`);
      await page.waitForTimeout(500);
    }
    await page.waitForSelector('[data-locked="true"]');
    await page.screenshot({ path: `${shots}/6-revoked.png` });
  });

  await check('it fits a desktop, and dark mode', async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto(`${info.url}/#/zoo`);
    await page.waitForSelector('[data-item]');
    await page.screenshot({ path: `${shots}/7-desktop-dark.png` });
    equal(await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth), false, 'sideways scrolling');
  });

  await check('the console stays clean', async () => equal(complaints.join('\n'), '', 'complaints'));
} finally {
  await browser.close();
  demo.kill('SIGTERM');
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
