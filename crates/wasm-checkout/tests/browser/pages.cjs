'use strict';
// The server's own pages: the hosted page with and without scripts, a payment link on a phone, cards typed into their
// frame, and the shop's till.
const { DESK, PHONE, WAIT, accessible, holds, proxy, scene, visitor } = require('./harness.cjs');

async function ownPages(world) {
  for (const [name, act] of Object.entries(SCENES)) await scene(name, () => act({ ...world, name }));
}

const tea = (more) => ({ amount: 1200, currency: 'CNY', subject: 'Tea 茶叶', methods: ['testpay.page', 'testpay.qr'], ...more });
const paid = (page) => page.getByRole('heading', { name: 'Paid' }).waitFor({ timeout: WAIT });

// The payer's own page at the simulated channel.
async function payAtTheChannel(page) {
  await page.waitForURL(/\/sandbox\//, { timeout: WAIT });
  await page.locator('button').filter({ hasText: /支付|Pay/ }).first().click();
}

async function opened(world, device, address) {
  const context = await visitor(world.browser, device);
  const page = await context.newPage();
  await page.goto(address);
  return { context, page };
}

const SCENES = {
  async 'the hosted page, with the widget'(world) {
    const order = await world.merchant.post('/v1/orders', tea());
    const { context, page } = await opened(world, DESK, order.checkout_url);
    await page.getByRole('radio').first().check({ timeout: WAIT });
    await accessible('the hosted page', page);
    await page.getByRole('button', { name: /^Pay/ }).click();
    await payAtTheChannel(page);
    await page.waitForURL(/\/pay\//, { timeout: WAIT });
    await paid(page);
    await page.getByRole('link', { name: /receipt/i }).waitFor({ timeout: WAIT });
    await world.merchant.once(world.name, order.id);
    await context.close();
  },
  async 'the hosted page, without scripts'(world) {
    const order = await world.merchant.post('/v1/orders', tea());
    const { context, page } = await opened(world, { ...PHONE, javaScriptEnabled: false }, order.checkout_url);
    await page.locator('button[name=method][value="testpay.page"]').click();
    if (!page.url().includes('/sandbox/')) await page.locator('a.Button, form#next button').first().click();
    await payAtTheChannel(page);
    await page.waitForURL(/\/pay\//, { timeout: WAIT });
    // The page also looks again by itself, which a browser that only pretends to have no scripts does not do.
    await page.waitForLoadState();
    const again = page.getByRole('link', { name: 'Check again' });
    for (let looks = 0; looks < 20 && (await again.count()) > 0; looks += 1) {
      await page.waitForTimeout(300);
      await again.click();
    }
    await paid(page);
    await world.merchant.once(world.name, order.id);
    await context.close();
  },
  async 'a payment link on a phone'(world) {
    const link = await world.merchant.post('/v1/payment_links', {
      subject: 'Tea 茶叶', currency: 'CNY', single_use: true, methods: ['testpay.page'],
    });
    const { context, page } = await opened(world, PHONE, link.url);
    await accessible('the payment link', page);
    await page.locator('input[name=amount]').fill('12.34');
    await page.locator('button[name=method]').first().click();
    if (!page.url().includes('/sandbox/')) {
      const on = page.locator('button, a').filter({ hasText: /^(Pay|Continue)/ }).first();
      await on.click({ timeout: WAIT });
    }
    await payAtTheChannel(page);
    await page.waitForURL(/\/pay\//, { timeout: WAIT });
    await paid(page);
    const { data } = await world.merchant.get('/v1/orders?limit=1');
    holds('the link took what was typed', data[0].amount === 1234 && data[0].status === 'succeeded', data[0].status);
    await world.merchant.once(world.name, data[0].id);
    await page.goto(link.url);
    holds('the link works once', (await page.locator('button[name=method]').count()) === 0);
    await context.close();
  },
  async 'a card, declined and then another'(world) {
    const order = await world.merchant.post('/v1/orders', tea({ methods: ['card.web', 'testpay.page'], return_url: `${world.store.home}/thanks` }));
    const { context, page } = await opened(world, DESK, world.store.show(order));
    await page.getByRole('radio').first().check({ timeout: WAIT });
    await typeCard(page, '4000000000000002');
    await accessible('the card fields', page);
    await page.getByRole('button', { name: /^Pay/ }).click();
    await page.getByRole('alert').filter({ hasText: /declined|bank/i }).first().waitFor({ timeout: WAIT });
    await page.getByRole('radio').first().check({ timeout: WAIT });
    await typeCard(page, '4242424242424242');
    await page.getByRole('button', { name: /^Pay/ }).click();
    await paid(page);
    const { data } = await world.merchant.get(`/v1/orders/${order.id}/attempts`);
    const states = data.map((attempt) => attempt.status).sort().join();
    holds('one card was declined and one charged', states === 'declined,succeeded', states);
    holds('no digit of the card is on the page', !(await page.content()).includes('4242424242424242'));
    await context.close();
  },
  async 'a card that is kept, pays by one click, and is deleted'(world) {
    const customer = `browser-${process.pid}-${Date.now()}`;
    const kept = async () => (await world.merchant.get(`/v1/cards?customer=${customer}&status=active`)).data;
    const next = async () => world.merchant.post('/v1/orders', tea({ methods: ['card.web'], customer }));
    const first = await next();
    const { context, page } = await opened(world, DESK, world.store.show(first));
    await page.getByRole('radio').first().check({ timeout: WAIT });
    await typeCard(page, '4242424242424242');
    await page.getByRole('checkbox', { name: /^Keep this card/ }).check();
    await page.getByRole('button', { name: /^Pay/ }).click();
    await paid(page);
    const card = await becomes(async () => (await kept())[0]);
    holds('the card is kept by the text that was shown', card?.last4 === '4242' && card.consent.version === '2026-11');

    const second = await next();
    await page.goto(world.store.show(second));
    const stored = page.getByRole('radio', { name: /^Visa •••• 4242/ });
    await stored.waitFor({ timeout: WAIT });
    holds('the stored card is chosen', await stored.isChecked());
    await accessible('a stored card', page);
    await page.getByRole('button', { name: /^Pay/ }).click();
    await paid(page);
    const { data } = await world.merchant.get(`/v1/orders/${second.id}/attempts`);
    const charged = data.length === 1 && data[0].status === 'succeeded' && data[0].card.card_id === card?.id;
    holds('it was charged once, and no other', charged, JSON.stringify(data.map(({ status, card }) => [status, card])));

    await page.goto(world.store.show(await next()));
    await page.getByRole('button', { name: 'Remove Visa •••• 4242' }).click({ timeout: WAIT });
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.locator('iframe').waitFor({ timeout: WAIT });
    holds('the list is gone', (await stored.count()) === 0);
    holds('the card is deleted', (await kept()).length === 0);
    await context.close();
  },
  async 'a card whose bank asks the payer'(world) {
    const order = await world.merchant.post('/v1/orders', tea({ methods: ['card.web', 'testpay.page'] }));
    const { context, page } = await opened(world, PHONE, order.checkout_url);
    await page.getByRole('radio').first().check({ timeout: WAIT });
    await typeCard(page, '4000000000003220');
    await page.getByRole('button', { name: /^Pay/ }).click();
    await payAtTheChannel(page);
    await page.waitForURL(/\/pay\//, { timeout: WAIT });
    await paid(page);
    await world.merchant.once(world.name, order.id);
    await context.close();
  },
  async 'headers that somebody on the way drops or changes'(world) {
    const alerts = async () => {
      const { data } = await world.merchant.get('/v1/page_alerts?limit=100');
      return data.filter((row) => row.kind === 'changed_header').map((row) => `${row.page} ${row.directive} ${row.source}`);
    };
    const order = await world.merchant.post('/v1/orders', tea());
    const path = new URL(order.checkout_url).pathname;
    const seen = async (change) => {
      const between = await proxy(world.merchant.address, change);
      const context = await visitor(world.browser, PHONE);
      const page = await context.newPage();
      const asked = page.waitForResponse((answer) => answer.request().method() === 'HEAD');
      await page.goto(between.home + path);
      await asked;
      // What there is to report is on its way as soon as the headers are there.
      await page.waitForTimeout(500);
      await context.close();
      between.close();
      return alerts();
    };
    const none = await seen();
    holds('a proxy that changes nothing is no alert', none.length === 0, none.join());
    await seen((headers) => {
      delete headers['content-security-policy'];
      if (headers['referrer-policy']) headers['referrer-policy'] = 'unsafe-url';
    });
    const told = await becomes(async () => {
      const rows = await alerts();
      return rows.length >= 2 && rows.sort();
    });
    const both = 'pay content-security-policy missing,pay referrer-policy changed';
    holds('a policy that is dropped and a header that is changed are two alerts', String(told) === both, String(told));
  },
  async 'the till: a code to scan'(world) {
    const { context, page } = await till(world, PHONE);
    for (const digit of '1234') await page.locator('#pad button', { hasText: digit }).first().click();
    await accessible('the till, an amount', page);
    await page.locator('#charge').click();
    await page.locator('#code[src^="data:"]').waitFor({ timeout: WAIT });
    await accessible('the till, waiting', page);
    await page.locator('#auth').fill('134500000000000001');
    await page.locator('#auth').press('Enter');
    await page.locator('#view-result').waitFor({ timeout: WAIT });
    holds('the till says that it is paid', /Paid/.test(await page.locator('#verdict').innerText()));
    await accessible('the till, paid', page);
    const { data } = await world.merchant.get('/v1/orders?limit=1');
    holds('the till charged once', data[0].amount === 1234 && data[0].status === 'succeeded', data[0].status);
    await world.merchant.once(world.name, data[0].id);
    await context.close();
  },
  async 'the till: by keys alone, and given up'(world) {
    const { context, page } = await till(world, DESK);
    await page.keyboard.type('500');
    await page.locator('#charge').focus();
    await page.keyboard.press('Enter');
    await page.locator('#view-sale').waitFor({ timeout: WAIT });
    await page.keyboard.press('Escape');
    await page.locator('#view-result').waitFor({ timeout: WAIT });
    holds('the till says that nothing was charged', /nothing was charged/.test(await page.locator('#verdict').innerText()));
    await page.keyboard.press('Enter');
    await page.locator('#view-amount').waitFor({ timeout: WAIT });
    await context.close();
  },
};

// What the server has done a moment later, by its workers.
async function becomes(look) {
  const end = Date.now() + WAIT;
  for (;;) {
    const seen = await look();
    if (seen || Date.now() > end) return seen;
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function till(world, device) {
  const cashier = await world.merchant.post('/v1/cashiers', { name: 'Till', currency: 'CNY' });
  const { context, page } = await opened(world, device, cashier.url);
  await page.locator('#view-amount').waitFor({ timeout: WAIT });
  holds('the key left the address', !page.url().includes('ck_test_'), page.url());
  return { context, page };
}

async function typeCard(page, number) {
  const frame = page.frameLocator('iframe').first();
  await frame.locator('#number').fill(number);
  await frame.locator('#expiry').fill(`12 / ${(new Date().getFullYear() + 3) % 100}`);
  await frame.locator('#cvc').fill('123');
}

module.exports = { ownPages };
