'use strict';
// The built widget in Chromium, against the stand: every kind of step, double click, back, refresh, the keyboard, right to
// left, and axe in each state and language. Needs the built widget (`cargo xtask wasm`).
const { DESK, WAIT, accessible, holds, launch, run, scene, seen, visitor } = require('./harness.cjs');
const { ENDED, GOING, STORED, Stand } = require('./stand.cjs');

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
  async 'a stored card, by one click'({ page, stand }) {
    stand.turn(STORED);
    await page.goto(stand.page('en'));
    const visa = page.getByRole('radio', { name: 'Visa •••• 4242 Expires 05/30' });
    await visa.waitFor({ timeout: WAIT });
    holds('the first stored card is chosen', await visa.isChecked());
    holds('a method and a card are chosen side by side', (await page.getByRole('radio', { checked: true }).count()) === 2);
    holds('nothing is typed for it', (await page.locator('iframe').count()) === 0);
    holds('nothing is asked about it', (await page.getByRole('checkbox').count()) === 0);
    await page.getByRole('button', { name: 'Pay ¥12.34' }).dblclick();
    await page.getByText('My shop has received').waitFor({ timeout: WAIT });
    const paid = JSON.stringify(stand.paid);
    holds('it is paid once, with the card', stand.pays === 1 && paid === '{"method":"card.web","after":null,"card":"card_1"}', paid);
  },
  async 'a stored card that is deleted'({ page, stand }) {
    stand.turn(STORED);
    await page.goto(stand.page('en'));
    const remove = page.getByRole('button', { name: 'Remove Mastercard •••• 4444' });
    await remove.click();
    await page.getByRole('group', { name: /^Remove Mastercard •••• 4444\?/ }).waitFor({ timeout: WAIT });
    holds('the harmless answer has the focus', (await focused(page)) === 'keep', await focused(page));
    await accessible('a question about a card', page);
    await page.keyboard.press('Enter');
    await until(async () => (await focused(page)) === 'remove', 'the focus comes back to the button');
    holds('nothing is deleted', stand.deleted.length === 0 && (await remove.count()) === 1);
    await page.keyboard.press('Enter');
    await until(async () => (await focused(page)) === 'keep', 'a key asks like a click');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await remove.waitFor({ state: 'detached', timeout: WAIT });
    holds('one card is deleted, and that one', stand.deleted.join() === 'card_2', stand.deleted.join());
    holds('the focus goes to the chosen card', (await focused(page)) === 'radio', await focused(page));
    holds('it is told', /removed/.test(await page.locator('.Spoken[role=status]').innerText()));
    holds('the chosen card stays chosen', await page.getByRole('radio', { name: /Visa/ }).isChecked());
    await page.getByRole('button', { name: /^Remove Visa/ }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await until(() => page.getByRole('radio', { name: 'Another card' }).isChecked(), 'no other card takes the place of a chosen one');
    await page.locator('iframe').waitFor({ timeout: WAIT });
  },
  async 'a typed card that may be kept, and one that may not'({ page, stand }) {
    for (const agrees of [true, false]) {
      stand.renew(STORED);
      await page.goto(stand.page('en'));
      await page.getByRole('radio', { name: 'Another card' }).check({ timeout: WAIT });
      const keep = page.getByRole('checkbox', { name: /^Keep this card/ });
      holds('nobody agrees unasked', !(await keep.isChecked()));
      await keep.check();
      if (!agrees) await keep.uncheck();
      await page.frameLocator('iframe').locator('html[data-listens]').waitFor({ state: 'attached', timeout: WAIT });
      await page.getByRole('button', { name: 'Pay ¥12.34' }).click();
      await page.getByText('My shop has received').waitFor({ timeout: WAIT });
      const { card_token: token, save, card } = stand.paid;
      const is = token === 'tok_1' && save === (agrees ? '2026-11' : undefined) && card === undefined;
      holds(`kept only by consent: ${agrees}`, is, JSON.stringify(stand.paid));
    }
  },
  async 'stored cards from right to left, on a narrow screen'({ page, stand }) {
    await page.setViewportSize({ width: 320, height: 640 });
    stand.turn(STORED);
    await page.goto(stand.page('ar'));
    const [radio, remove] = [page.locator('.Kept input').first(), page.locator('[data-do=remove]').first()];
    const [from, to] = [await radio.boundingBox(), await remove.boundingBox()];
    holds('the button stands at the end of the line', to.x + to.width <= from.x, `${to.x} ${from.x}`);
    holds('it is large enough for a finger', to.width >= 44 && to.height >= 44, `${to.width} × ${to.height}`);
    await remove.click();
    await accessible('a question in Arabic', page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    holds('nothing is wider than the screen', wide <= 320, `${wide}`);
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

// What has the focus, inside of the widget: what a button does, or what kind of field it is.
const focused = (page) => page.evaluate(() => {
  const inside = document.activeElement?.shadowRoot?.activeElement;
  return inside?.dataset.do ?? inside?.type ?? 'nothing';
});

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

run(main);
