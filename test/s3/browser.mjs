// Looks at a page of private pictures in headless Chromium, as TestBrowser wants it:
//
//   node browser.mjs PATH_TO_CHROMIUM PAGE WINDOW_IN_SECONDS SCREENSHOT
//
// It prints one line of JSON: for each look its name, the URLs of the pictures
// and how many of them are shown.
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../browser/package.json', import.meta.url))('playwright-core');
const [browserPath, address, seconds, screenshot] = process.argv.slice(2);
const span = Number(seconds) * 1000;

const browser = await chromium.launch({
  executablePath: browserPath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const windowOf = (look) => new URL(look.urls[0]).searchParams.get('X-Amz-Date');

/** Waits for the beginning of the next window. */
const nextWindow = () => pause(span - (Date.now() % span) + 100);

/** Waits for all pictures and says which they are. */
async function look(page, name) {
  await page.waitForFunction(() => document.images.length > 0 && [...document.images].every((i) => i.complete));
  return { name, ...(await page.evaluate(() => ({
    urls: [...document.images].map((i) => i.src),
    shown: [...document.images].filter((i) => i.naturalWidth > 0).length,
  }))) };
}

/** Everything that is to be seen within one window, or null if it did not last. */
async function within() {
  const context = await browser.newContext({ viewport: { width: 1000, height: 760 } });
  const page = await context.newPage();
  await page.goto(address);
  const looks = [await look(page, 'first')];
  await page.screenshot({ path: screenshot });
  await page.reload();
  looks.push(await look(page, 'reload'));
  const second = await context.newPage();
  await second.goto(`${address}?second`);
  looks.push(await look(second, 'second page'));
  const stranger = await browser.newContext();
  const other = await stranger.newPage();
  await other.goto(address);
  looks.push(await look(other, 'another browser'));
  if (looks.some((l) => windowOf(l) !== windowOf(looks[0]))) {
    await context.close();
    return null;
  }
  await nextWindow();
  await page.reload();
  looks.push(await look(page, 'next window'));
  return looks;
}

try {
  let looks = null;
  for (let i = 0; i < 3 && !looks; i++) {
    await nextWindow();
    looks = await within();
  }
  if (!looks) throw new Error('four looks took longer than a window, three times');
  console.log(JSON.stringify(looks));
} finally {
  await browser.close();
}
