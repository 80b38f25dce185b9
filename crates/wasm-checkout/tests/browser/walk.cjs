'use strict';
// The built widget in Chromium, against the stand: every kind of step, double click, back, refresh, the keyboard, right to
// left, and axe in each state and language. Needs the built widget (`cargo xtask wasm`).
const { DESK, WAIT, accessible, holds, launch, scene, seen, visitor } = require('./harness.cjs');
const { ENDED, GOING, Stand } = require('./stand.cjs');

const LANGUAGES = ['zh-CN', 'zh-TW', 'en', 'ja', 'ko', 'es', 'pt-BR', 'fr', 'de', 'ar'];

const SCENES = {
  async 'a payment from the list to its end'({ page, stand }) {
    await page.goto(stand.page('en'));
    const pay = page.getByRole('button', { name: 'Pay ¥12.34' });
    await pay.waitFor({ timeout: WAIT });
    holds('the methods are listed', (await page.getByRole('radio').count()) === 3);
    await pay.dblclick();
    await page.getByRole('img', { name: /QR code/ }).waitFor({ timeout: WAIT });
    holds('a double click pays once', stand.pays === 1, `${stand.pays}`);
    await page.locator('.Countdown', { hasText: /\d+:\d\d/ }).waitFor({ timeout: WAIT });
    await page.getByRole('button', { name: 'Get a new code' }).click();
    await until(() => stand.pays === 2, 'a fresh code is a payment of its own');
    await page.getByRole('button', { name: 'Choose another' }).click();
    await page.getByRole('radio').nth(1).check();
    await page.getByRole('radio').nth(2).check();
    await page.evaluate(() => {
      window.told = [];
      for (const name of ['complete', 'submit', 'change']) document.addEventListener(name, () => window.told.push(name));
    });
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('My shop has received').waitFor({ timeout: WAIT });
    holds('the card was charged once', stand.pays === 3, `${stand.pays}`);
    const told = await page.evaluate(() => window.told.join());
    holds('the page hears of it in order', told === 'submit,complete', told);
  },
  async 'to the cashier and back'({ page, stand }) {
    await page.goto(stand.page('de'));
    await page.getByRole('radio').nth(1).check();
    await page.getByRole('button', { name: /bezahlen/ }).click();
    await page.waitForURL('**/cashier');
    await page.goBack();
    await page.getByRole('button', { name: /Weiter zu/ }).waitFor({ timeout: WAIT });
    holds('back leads neither away again nor to a second payment', stand.pays === 1, `${stand.pays}`);
    stand.change({ status: 'succeeded', attempt: { ...stand.order.attempt, status: 'succeeded' }, next_action: null });
    await page.getByRole('heading', { name: 'Bezahlt' }).waitFor({ timeout: WAIT });
  },
  async 'an order that expires while it is looked at'({ page, stand }) {
    await page.goto(stand.page('en'));
    await page.getByRole('radio').first().waitFor({ timeout: WAIT });
    stand.change({ status: 'closed', expires_at: stand.order.server_time });
    await page.getByRole('heading', { name: 'This payment has expired' }).waitFor({ timeout: WAIT });
  },
  async 'a server that refuses, and is asked again'({ page, stand }) {
    stand.refuses = 'unauthenticated';
    await page.goto(stand.page('en'));
    await page.getByText('This payment is no longer valid').waitFor({ timeout: WAIT });
    await accessible('broken', page);
    stand.refuses = null;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('radio').first().waitFor({ timeout: WAIT });
  },
};

// Asked from here again and again: the page's policy lets nobody wait inside of it.
async function until(is, statement) {
  const end = Date.now() + WAIT;
  while (Date.now() < end) {
    if (await is()) return holds(statement, true);
    await new Promise((done) => setTimeout(done, 20));
  }
  return holds(statement, false);
}

// axe in every state, in one language and one theme; a state that goes on comes by the stream, as in life.
async function states({ page, stand, language, theme }) {
  await page.goto(stand.page(language, theme));
  const box = page.locator('section.Box');
  await page.getByRole('radio').first().waitFor({ timeout: WAIT });
  holds(`${language}: written in its direction`, (await box.getAttribute('dir')) === (language === 'ar' ? 'rtl' : 'ltr'));
  for (const [name, change] of Object.entries(GOING)) {
    const before = await box.innerText();
    stand.turn(change);
    if (name !== 'choose') await until(async () => (await box.innerText()) !== before, `${language}: ${name} shows`);
    await accessible(`${language} ${theme} ${name}`, page);
  }
  for (const [name, change] of Object.entries(ENDED)) {
    stand.turn(change);
    await page.goto(stand.page(language, theme));
    await page.locator('.Outcome').waitFor({ timeout: WAIT });
    await accessible(`${language} ${theme} ${name}`, page);
  }
}

async function main() {
  const browser = await launch();
  const stand = await Stand.open();
  const visit = async (name, act) => {
    const context = await visitor(browser, DESK);
    const page = await context.newPage();
    page.on('pageerror', (error) => holds(`${name}: no error on the page`, false, error.message));
    stand.renew();
    await scene(name, () => act({ page, stand }));
    await context.close();
  };
  for (const [name, act] of Object.entries(SCENES)) await visit(name, act);
  for (const [at, language] of LANGUAGES.entries()) {
    const theme = ['default', 'night', 'flat'][at % 3];
    await visit(`every state in ${language}`, (given) => states({ ...given, language, theme }));
  }
  await visit('every state at night', (given) => states({ ...given, language: 'en', theme: 'night' }));
  await browser.close();
  stand.close();
  console.log(`${seen.good} statements hold, ${seen.bad.length} do not`);
  process.exitCode = seen.bad.length > 0 || seen.good < 150 ? 1 : 0;
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
