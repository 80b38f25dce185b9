'use strict';
// Whatever a payer and a network do, there is one charge: double clicks, back, two tabs, tabs that die, answers that are
// lost, networks that go, orders that expire.
const { DESK, WAIT, holds, scanned, scene, visitor } = require('./harness.cjs');

const METHODS = ['testpay.qr', 'testpay.page'];

async function exactlyOnce(world) {
  for (const [name, act] of Object.entries(SCENES)) {
    const context = await visitor(world.browser, DESK);
    await scene(name, () => act({ ...world, context, name }));
    await context.close();
  }
  const context = await visitor(world.browser, DESK);
  await scene('an order that expired', () => expired({ ...world, context }));
  await context.close();
}

async function begin({ merchant, store, context }, methods = METHODS, more = {}) {
  const order = await merchant.post('/v1/orders', {
    amount: 1200, currency: 'CNY', subject: 'Tea 茶叶', methods, return_url: `${store.home}/thanks`, ...more,
  });
  const page = await context.newPage();
  await page.goto(store.show(order));
  await page.getByRole('button', { name: /^Pay/ }).waitFor({ timeout: WAIT });
  return { order, page };
}

const payButton = (page) => page.getByRole('button', { name: /^Pay/ });
const code = (page) => page.getByRole('img', { name: /QR code/ });
const paid = (page) => page.getByRole('heading', { name: 'Paid' }).waitFor({ timeout: WAIT });

// The payer's phone scans the code that the page shows.
async function scan(page) {
  await scanned(await page.getByRole('link', { name: 'Open as the test payer' }).getAttribute('href'));
}

const SCENES = {
  async 'a double click'(world) {
    const { order, page } = await begin(world);
    await payButton(page).dblclick();
    await code(page).waitFor({ timeout: WAIT });
    const { attempts } = await world.merchant.charges(order.id);
    holds('a double click makes one attempt', attempts === 1, `${attempts}`);
    await scan(page, world.context);
    await paid(page);
    await world.merchant.once(world.name, order.id);
  },
  async 'back from the cashier'(world) {
    const { order, page } = await begin(world);
    await page.getByRole('radio').nth(1).check();
    await payButton(page).click();
    await page.waitForURL(/\/sandbox\//);
    await page.goBack();
    const on = page.getByRole('button', { name: /^Continue to/ });
    await on.waitFor({ timeout: WAIT });
    holds('back does not lead away again', !page.url().includes('/sandbox/'));
    await on.click();
    await page.waitForURL(/\/sandbox\//);
    await page.getByRole('button', { name: /Pay/ }).click();
    await page.waitForURL(/thanks/);
    await page.goBack();
    await page.goto(world.store.show(order));
    await paid(page);
    await world.merchant.once(world.name, order.id);
  },
  async 'two tabs at once'(world) {
    const { order, page } = await begin(world);
    const second = await world.context.newPage();
    await second.goto(page.url());
    await payButton(second).waitFor({ timeout: WAIT });
    await Promise.all([payButton(page).click(), payButton(second).click()]);
    await Promise.all([code(page).waitFor({ timeout: WAIT }), code(second).waitFor({ timeout: WAIT })]);
    const { attempts } = await world.merchant.charges(order.id);
    holds('two tabs make one attempt', attempts === 1, `${attempts}`);
    await scan(second, world.context);
    await Promise.all([paid(page), paid(second)]);
    await world.merchant.once(world.name, order.id);
  },
  async 'a tab that dies'(world) {
    const { order, page } = await begin(world);
    const sent = page.waitForRequest(/order\/pay/);
    await payButton(page).click();
    await sent;
    await page.close();
    const again = await world.context.newPage();
    await again.goto(world.store.show(order));
    await payButton(again).or(code(again)).first().waitFor({ timeout: WAIT });
    // The request may have come too late to be sent: then there is nothing to find again, and the payer pays now.
    if (await payButton(again).isVisible()) await payButton(again).click();
    await code(again).waitFor({ timeout: WAIT });
    await scan(again, world.context);
    await paid(again);
    await world.merchant.once(world.name, order.id);
  },
  async 'an answer that is lost'(world) {
    const { order, page } = await begin(world);
    let lost = 0;
    await page.route(/order\/pay/, async (route) => {
      await route.fetch();
      lost += 1;
      await route.abort();
    });
    await payButton(page).click();
    await code(page).waitFor({ timeout: WAIT });
    holds('the answer was lost, and the page found the attempt by itself', lost === 1, `${lost}`);
    const { attempts } = await world.merchant.charges(order.id);
    holds('a lost answer leaves one attempt', attempts === 1, `${attempts}`);
    await scan(page, world.context);
    await paid(page);
    await world.merchant.once(world.name, order.id);
  },
  async 'offline before paying'(world) {
    const { order, page } = await begin(world);
    await world.context.setOffline(true);
    await page.getByText('You are offline').first().waitFor({ timeout: WAIT });
    await payButton(page).click();
    await page.getByText('The server did not answer').waitFor({ timeout: WAIT });
    await world.context.setOffline(false);
    await page.getByText('You are offline').first().waitFor({ state: 'hidden', timeout: WAIT });
    await payButton(page).click();
    await code(page).waitFor({ timeout: WAIT });
    await scan(page, world.context);
    await paid(page);
    await world.merchant.once(world.name, order.id);
  },
  async 'offline while the phone pays'(world) {
    const { order, page } = await begin(world);
    await payButton(page).click();
    await code(page).waitFor({ timeout: WAIT });
    const link = await page.getByRole('link', { name: 'Open as the test payer' }).getAttribute('href');
    await world.context.setOffline(true);
    const answer = await fetch(`${link}/pay`, { method: 'POST', redirect: 'manual' });
    holds('the phone could pay meanwhile', answer.status < 400, `${answer.status}`);
    await world.context.setOffline(false);
    await paid(page);
    await world.merchant.once(world.name, order.id);
  },
  async 'another method after the first'(world) {
    const { order, page } = await begin(world);
    await payButton(page).click();
    await code(page).waitFor({ timeout: WAIT });
    const old = await page.getByRole('link', { name: 'Open as the test payer' }).getAttribute('href');
    await page.getByRole('button', { name: 'Choose another way to pay' }).click();
    await page.getByRole('radio').nth(1).check();
    await payButton(page).click();
    await page.waitForURL(/\/sandbox\//);
    await fetch(`${old}/pay`, { method: 'POST', redirect: 'manual' });
    await page.getByRole('button', { name: /Pay/ }).click();
    await page.waitForURL(/thanks/);
    await page.goto(world.store.show(order));
    await paid(page);
    await world.merchant.once(world.name, order.id);
  },
};

// Last of all: the sandbox's clock goes forward for every order there is.
async function expired({ merchant, store, context }) {
  const { order, page } = await begin({ merchant, store, context }, METHODS, { expires_in: 60 });
  await payButton(page).click();
  await code(page).waitFor({ timeout: WAIT });
  const link = await page.getByRole('link', { name: 'Open as the test payer' }).getAttribute('href');
  await merchant.post('/v1/sandbox/advance_clock', { seconds: 3600 });
  await page.goto(store.show(order));
  await page.getByRole('heading', { name: 'This payment has expired' }).waitFor({ timeout: 2 * WAIT });
  await fetch(`${link}/pay`, { method: 'POST', redirect: 'manual' });
  const { ours, theirs } = await merchant.charges(order.id);
  holds('an expired order is not charged', ours === 0 && theirs === 0, `${ours} and ${theirs}`);
}

module.exports = { exactlyOnce };
