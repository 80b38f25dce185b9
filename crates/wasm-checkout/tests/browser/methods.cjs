'use strict';
// Every method of every channel of the sandbox that a browser can end, paid through the example's page.
const { DESK, PHONE, WAIT, holds, scanned, scene, visitor } = require('./harness.cjs');

// Scenes that the server offers to a browser of this kind; the rest belongs to tills, apps and mini programs, and `jsapi`
// to the browser inside of a wallet.
const SCENES = { desk: ['qr', 'page', 'card', 'wap', 'b2b'], phone: ['h5', 'wap', 'page', 'card', 'qr', 'b2b'] };
const ABROAD = { 'alipayhk.page': 'HKD', 'kakaopay.page': 'KRW', 'tng.page': 'MYR', 'gcash.page': 'PHP', 'truemoney.page': 'THB' };

// One account after the other, alone: where two channels take the same method, both have their turn.
async function everyMethod({ browser, merchant, store, words }) {
  const { data: accounts } = await merchant.get('/v1/channel_accounts');
  const chosen = accounts.filter((account) => words.length === 0 || words.includes(account.channel));
  const turn = (account, enabled) => merchant.post(`/v1/channel_accounts/${account.id}`, { enabled });
  const others = accounts.filter((account) => account.channel !== 'testpay');
  for (const account of others) await turn(account, false);
  const devices = [['desk', await visitor(browser, DESK)], ['phone', await visitor(browser, PHONE)]];
  let paid = 0;
  for (const account of chosen) {
    if (account.channel !== 'testpay') await turn(account, true);
    // One device after the other: a browser draws no page but the foremost, and pages are waited for by what they draw.
    for (const [device, context] of devices) {
      for (const method of account.methods.filter((one) => SCENES[device].includes(one.split('.')[1]))) {
        const name = `${device}: ${method} at ${account.channel}`;
        await scene(name, () => pay({ name, device, context, merchant, store, account, method }));
        paid += 1;
      }
    }
    if (account.channel !== 'testpay') await turn(account, false);
  }
  for (const account of others) await turn(account, true);
  for (const [, context] of devices) await context.close();
  holds('there were methods to pay by', words.length > 0 || paid > 60, `${paid}`);
}

async function pay({ name, device, context, merchant, store, account, method }) {
  const currency = ABROAD[method] ?? (account.channel === 'antom' ? 'HKD' : 'CNY');
  // An order of one method alone is started at once; a second one leaves the choice to the page.
  const spare = method === 'testpay.card' ? 'testpay.page' : 'testpay.card';
  const order = await merchant.post('/v1/orders', {
    amount: 1200, currency, subject: 'Tea 茶叶', methods: [method, spare], return_url: `${store.home}/thanks`,
    payer: { ip: '203.0.113.9' },
  });
  const page = await context.newPage();
  try {
    await page.goto(store.show(order));
    await page.getByRole('radio').first().check();
    await page.getByRole('button', { name: /^Pay/ }).click();
    await finish({ page, context, device, method });
    await page.goto(store.show(order));
    await page.getByRole('heading', { name: 'Paid' }).waitFor({ timeout: WAIT });
  } finally {
    await page.close();
  }
  const now = await merchant.get(`/v1/orders/${order.id}`);
  holds(`${name}: succeeded`, now.status === 'succeeded', now.status);
  const { ours, theirs } = await merchant.charges(order.id);
  const channels = (await merchant.get(`/v1/orders/${order.id}/attempts`)).data.map((attempt) => attempt.channel);
  holds(`${name}: paid there, once`, ours === 1 && channels.join() === account.channel, channels.join());
  if (method !== 'testpay.card') holds(`${name}: the channel has one charge`, theirs === 1, `${theirs}`);
}

// Leads the payment to its end at the channel.
async function finish({ page, context, device, method }) {
  if (method.endsWith('.card')) return;
  const scan = page.getByRole('img', { name: /QR code/ });
  const button = page.locator('form button, button').filter({ hasText: /支付|Pay|付款|确认/ }).first();
  const away = page.waitForURL(/\/sandbox\//, { timeout: WAIT });
  away.catch(() => {});
  // Some aggregators answer a code with their cashier's address for some wallets.
  if (method.endsWith('.qr') && (await Promise.any([scan.waitFor().then(() => true), away.then(() => false)]))) {
    if (device === 'phone') {
      await page.getByRole('link', { name: /^Open/ }).click();
    } else {
      // The second screen: what the code says, opened by the payer's phone.
      const link = await page.getByRole('link', { name: 'Open as the test payer' }).getAttribute('href');
      await scanned(link);
      // Nothing was reloaded: the stream of events says it.
      await page.getByRole('heading', { name: 'Paid' }).waitFor({ timeout: WAIT });
      return;
    }
  }
  await away;
  await button.click({ timeout: WAIT });
  await page.waitForLoadState();
}

module.exports = { everyMethod };
