// What a visitor meets beside the straight path: a second tab, answers that are
// none, the keyboard, two tickets, small screens. demo.mjs runs it.

const HTML = { status: 200, contentType: 'text/html; charset=utf-8', body: '<!doctype html><title>A page instead</title>' };

/** Fails unless what is said holds. */
function hold(fact, what) {
  if (!fact) throw new Error(what);
}

const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.dataset.play || document.activeElement.tagName);
const unlocked = (page) => page.waitForFunction(() => document.querySelector('[data-item]') && !document.querySelector('[data-locked="true"]'));
const renewed = (answer) => answer.url().endsWith('/v1/admission/renew') && answer.status() === 200;

/** Makes the cookies of a page want renewal after so many seconds, and every answer tell of another number of devices. */
function hurry(seconds) {
  const ask = window.fetch;
  let devices = 1;
  window.fetch = async (...args) => {
    const answer = await ask(...args);
    if (!answer.ok || !/verify|renew/.test(args[0])) return answer;
    const pass = await answer.json();
    return Response.json({ ...pass, refresh_after: seconds, admission: { ...pass.admission, devices: devices++ } });
  };
}

/** A problem reply as the gateway words it, for developers. */
function problem(status, code, title, detail, headers = {}) {
  const body = JSON.stringify({ type: `urn:handstamp:problem:${code}`, title, status, detail, code, request_id: 'R-123' });
  return { status, contentType: 'application/problem+json', headers, body };
}

const troubles = [
  [problem(429, 'too_many_attempts', 'Too Many Requests', 'Show the same ticket again when the time in Retry-After has passed. Nothing was decided about it.', { 'Retry-After': '90' }), 'You can try again in 90 seconds.'],
  [problem(429, 'too_many_attempts', 'Too Many Requests', 'Show the same ticket again when the time in Retry-After has passed. Nothing was decided about it.', { 'Retry-After': '601' }), 'You can try again in 11 minutes.'],
  [problem(503, 'busy', 'Please try again in a moment', 'Too many ask at once. Nothing was decided about what was shown; try again when the time in Retry-After has passed.', { 'Retry-After': '4' }), 'You can try again in 4 seconds.'],
  [problem(403, 'forbidden', 'Forbidden', 'Pages of another origin may not call this. List the page\'s origin in http.trusted_origins.'), 'ticket desk'],
  [problem(500, 'internal', 'Internal Server Error', 'Something went wrong on our side.'), 'not about your ticket'],
  [{ status: 403, contentType: 'text/html', body: '<h1>403 Forbidden</h1>' }, 'ticket desk'],
];

/** Runs all checks, each in a browser of its own. */
export async function corners({ check, equal, browser, info, shots }) {
  const ticket = (attraction) => info.tickets.find((t) => t.attraction === attraction).code;

  /** Opens the castle in a browser without cookies; whoever is in leaves at the end. */
  async function visit(action, { prepare, size = { width: 390, height: 844 } } = {}) {
    const context = await browser.newContext({ viewport: size, reducedMotion: 'reduce' });
    try {
      if (prepare) await context.addInitScript(...prepare);
      const page = await context.newPage();
      await page.goto(`${info.url}/#/castle`);
      await page.waitForSelector('[data-item]');
      await action(page, context);
      await page.unrouteAll();
      await page.evaluate(() => fetch('/v1/admission', { method: 'DELETE', headers: { 'Content-Type': 'application/json' } }));
    } finally {
      await context.close();
    }
  }

  async function enter(page, code = ticket('castle')) {
    await page.fill('#ticket-input', code);
    await page.press('#ticket-input', 'Enter');
    await unlocked(page);
  }

  await check('a tab that is closed before its renewal answers stops no other tab', () => visit(async (page, context) => {
    await enter(page);
    const second = await context.newPage();
    await second.route('**/v1/admission/renew', () => {}); // never answered
    const asked = second.waitForRequest('**/v1/admission/renew');
    await second.goto(`${info.url}/#/castle`);
    await asked;
    await second.close();
    await page.waitForResponse(renewed, { timeout: 15_000 });
    await unlocked(page);
  }, { prepare: [hurry, 4] }));

  await check('a page in place of the answer is no pass, and the next try is the same request', () => visit(async (page) => {
    const keys = [];
    page.on('request', (request) => request.url().endsWith('/verify') && keys.push(request.headers()['idempotency-key']));
    await page.route('**/v1/tickets/verify', (route) => route.fulfill(HTML), { times: 1 });
    await page.fill('#ticket-input', ticket('castle'));
    await page.click('#ticket-submit');
    await page.waitForSelector('#refusal [data-code="offline"]');
    equal(await page.isVisible('#ticket-form'), true, 'the form is there');
    equal(await page.inputValue('#ticket-input'), ticket('castle'), 'the field');
    equal(await page.locator('[data-locked="true"]').count() > 0, true, 'stops are locked');
    await page.click('#ticket-submit');
    await unlocked(page);
    equal(keys.length, 2, 'requests');
    equal(keys[1], keys[0], 'Idempotency-Key of the second');
  }));

  await check('nobody has left before the gateway says so', () => visit(async (page) => {
    await enter(page);
    const forbidden = problem(403, 'forbidden', 'Forbidden', '');
    for (const answer of [forbidden, { ...forbidden, status: 405 }, HTML]) {
      await page.evaluate(() => { document.querySelector('#status').textContent = ''; });
      await page.route('**/v1/admission', (route) => route.fulfill(answer), { times: 1 });
      await page.focus('#leave');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => document.querySelector('#status').textContent.includes('you are still in'));
      equal(await page.isVisible('#pass'), true, `the pass is there after ${answer.status}`);
      equal(await focused(page), 'leave', 'the focus');
    }
    await page.click('#leave');
    await page.waitForSelector('[data-locked="true"]');
  }));

  await check('a firewall that refuses a renewal ends no visit', () => visit(async (page) => {
    await page.route('**/v1/admission/renew', (route) => route.fulfill({ ...HTML, status: 403 }), { times: 1 });
    await enter(page);
    await page.waitForResponse((answer) => answer.url().endsWith('/renew') && answer.status() === 403);
    await page.waitForResponse(renewed);
    equal(await page.isVisible('#pass'), true, 'the pass is there');
  }, { prepare: [hurry, 1] }));

  await check('what a visitor can do nothing about is said in a visitor\'s words', () => visit(async (page) => {
    for (const [answer, want] of troubles) {
      await page.route('**/v1/tickets/verify', (route) => route.fulfill(answer), { times: 1 });
      await page.evaluate(() => document.querySelector('#refusal').replaceChildren());
      await page.fill('#ticket-input', ticket('castle'));
      await page.click('#ticket-submit');
      await page.waitForSelector('#refusal h3');
      const text = await page.innerText('#refusal');
      hold(text.includes(want), `${answer.status} is shown as ${JSON.stringify(text)}, want ${JSON.stringify(want)} in it`);
      hold(!/Retry-After|origin|Too Many Requests|Forbidden|Internal/i.test(text), `${answer.status} is shown as ${JSON.stringify(text)}`);
      equal(await page.getAttribute('#ticket-input', 'aria-invalid'), null, `aria-invalid after ${answer.status}`);
      equal(await page.inputValue('#ticket-input'), ticket('castle'), 'the field');
    }
    await page.screenshot({ path: `${shots}/8-trouble.png` });
  }));

  await check('the keyboard keeps its place on entering, renewing and leaving', () => visit(async (page) => {
    await enter(page);
    equal(await focused(page), 'pass-heading', 'the focus on entering');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    equal(await focused(page), 'leave', 'the focus two stops further');
    await page.waitForResponse(renewed);
    await page.waitForResponse(renewed); // the one before is on the page
    equal(await focused(page), 'leave', 'the focus after a renewal that tells of more devices');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-locked="true"]');
    equal(await focused(page), 'ticket-heading', 'the focus on leaving');
  }, { prepare: [hurry, 1] }));

  await check('with tickets for two places no end is shown that is one\'s only', () => visit(async (page) => {
    await enter(page);
    equal(await page.locator('.until').count(), 1, 'ends shown with one ticket');
    await page.goto(`${info.url}/#/`);
    await page.waitForSelector('[data-attraction="zoo"]');
    await page.click('#more');
    await enter(page, ticket('zoo'));
    equal(new URL(page.url()).hash, '#/zoo', 'where the second ticket leads');
    await page.waitForFunction(() => document.querySelector('#pass .open')?.textContent.includes('Castle'));
    equal(await page.locator('.until').count(), 0, 'ends shown with two tickets');
    equal(await page.innerText('#status'), 'You are in.', 'the news');
    await page.screenshot({ path: `${shots}/9-two-tickets.png` });
  }));

  for (const [width, height] of [[390, 844], [640, 320], [1280, 800]]) {
    await check(`the open transcript covers no stop on ${width} × ${height}`, () => visit(async (page) => {
      await page.click('[data-locked="false"] [data-play]');
      await page.click('#transcript-toggle');
      await page.evaluate(() => { // as long as a transcript can be
        const words = document.querySelector('#transcript');
        words.textContent = words.textContent.repeat(30);
        return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      });
      const buttons = page.locator('.stop-button, #ticket-input, #ticket-submit, .sample');
      for (let i = 0; i < await buttons.count(); i++) {
        await buttons.nth(i).focus();
        const [top, bottom, bar] = await buttons.nth(i).evaluate((button) => {
          const box = button.getBoundingClientRect();
          return [box.top, box.bottom, document.querySelector('#bar').getBoundingClientRect().top];
        });
        hold(top >= 0 && bottom <= bar, `button ${i} goes from ${top} to ${bottom}, the player begins at ${bar}`);
      }
      await page.screenshot({ path: `${shots}/transcript-${width}.png` });
      await page.focus('#player-close');
      await page.keyboard.press('Enter');
      equal(await page.isVisible('#bar'), false, 'the player is there after it was closed');
      equal(await focused(page), await page.getAttribute('[data-locked="false"] [data-play]', 'data-play'), 'the focus');
    }, { size: { width, height } }));
  }
}
