'use strict';
// Pictures of every state of the built widget, and of our own pages on a phone, as PNG files in the folder that is named:
// light, dark, Arabic and Chinese. Of the widget, the stand's clock and the page's stand still, so that the same browser and
// fonts make the same pictures; the pages are those of the server at PAYCORE, whose codes and numbers are new every time.
const fs = require('node:fs');
const path = require('node:path');
const { Merchant, PHONE, WAIT, launch } = require('./harness.cjs');
const { ENDED, GOING, NOW, Stand } = require('./stand.cjs');

const LOOKS = {
  light: { language: 'en' },
  dark: { language: 'en', dark: true },
  ar: { language: 'ar' },
  zh: { language: 'zh-CN' },
};
const STILL = { deviceScaleFactor: 1, reducedMotion: 'reduce', timezoneId: 'Asia/Shanghai' };
const SHOT = { animations: 'disabled', caret: 'hide' };

async function visitor(browser, { language, dark }) {
  const colorScheme = dark ? 'dark' : 'light';
  const context = await browser.newContext({ ...PHONE, ...STILL, viewport: { width: 390, height: 800 }, locale: language, colorScheme });
  context.setDefaultTimeout(WAIT);
  return context;
}

async function widget(browser, keep) {
  const stand = await Stand.open();
  for (const [name, look] of Object.entries(LOOKS)) {
    const context = await visitor(browser, look);
    const page = await context.newPage();
    await page.clock.setFixedTime(NOW);
    for (const [state, change] of Object.entries({ ...GOING, ...ENDED })) {
      stand.renew();
      stand.turn(change);
      await page.goto(stand.page(look.language, look.dark ? 'night' : 'default'));
      const box = page.locator('paycore-checkout');
      await box.locator('.Amount').waitFor();
      await box.screenshot({ ...SHOT, path: keep(state, name) });
    }
    await context.close();
  }
  stand.close();
}

const TEA = {
  amount: 12800, currency: 'CNY', subject: 'Two teas 两种茶', description: 'Order 1042 订单 1042',
  line_items: [{ name: 'Longjing 龙井', quantity: 1, unit_amount: 8800 }, { name: 'Pu’er 普洱', quantity: 2, unit_amount: 2000 }],
};

// Our own pages: what has to be there before one is opened, and what shows that it is drawn.
const PAGES = {
  async page_pay(merchant) {
    const order = await merchant.post('/v1/orders', { ...TEA, methods: ['testpay.qr', 'card.web', 'testpay.page'], cancel_url: 'https://shop.example/basket' });
    return [order.checkout_url, 'input[type=radio]'];
  },
  async page_qr(merchant) {
    return [(await merchant.post('/v1/orders', { ...TEA, method: 'testpay.qr' })).checkout_url, '.Code svg'];
  },
  async page_done(merchant) {
    const order = await merchant.post('/v1/orders', { ...TEA, method: 'testpay.card', return_url: 'https://shop.example/thanks' });
    return [order.checkout_url, '#receipt:not([hidden])'];
  },
  async page_receipt(merchant) {
    const order = await merchant.post('/v1/orders', { ...TEA, method: 'testpay.card' });
    await merchant.post('/v1/refunds', { order_id: order.id, amount: 2000 });
    const page = await (await fetch(`${order.checkout_url}?plain=1`)).text();
    return [order.checkout_url.replace(/\/pay\/.*/, /\/receipt\/[^"?]+/.exec(page)[0]), '#print'];
  },
  async page_link(merchant) {
    const methods = ['testpay.qr', 'testpay.page', 'alipay.wap'];
    const link = await merchant.post('/v1/payment_links', { currency: 'CNY', subject: 'Tea house 茶馆', methods });
    return [link.url, '.Ways'];
  },
};

async function pages(browser, merchant, keep) {
  for (const [name, look] of Object.entries(LOOKS)) {
    const context = await visitor(browser, look);
    const page = await context.newPage();
    for (const [what, prepare] of Object.entries(PAGES)) {
      const [address, drawn] = await prepare(merchant);
      await page.goto(`${address}?locale=${look.language}`);
      await page.locator(drawn).first().waitFor();
      await page.screenshot({ ...SHOT, path: keep(what, name), fullPage: true });
    }
    // The till speaks Chinese and English.
    if (name !== 'ar') await till(page, merchant, (what) => keep(what, name));
    await context.close();
  }
}

async function till(page, merchant, keep) {
  const cashier = await merchant.post('/v1/cashiers', { name: 'Till', currency: 'CNY' });
  const shot = async (what, drawn) => {
    await page.locator(drawn).waitFor();
    await page.screenshot({ ...SHOT, path: keep(what), fullPage: true });
  };
  await page.goto(cashier.url);
  await page.locator('#view-amount').waitFor();
  for (const digit of '12800') await page.locator('#pad button').filter({ hasText: new RegExp(`^${digit}$`) }).click();
  await shot('till_amount', '#charge');
  await page.locator('#charge').click();
  await shot('till_sale', '#code[src^="data:"]');
  await page.locator('#auth').fill('134500000000000001');
  await page.locator('#auth').press('Enter');
  await shot('till_paid', '#view-result');
  await merchant.post(`/v1/api_keys/${cashier.key.id}/revoke`, {});
}

async function main() {
  const folder = path.resolve(process.argv[2] ?? '.');
  fs.mkdirSync(folder, { recursive: true });
  let count = 0;
  const keep = (what, look) => {
    count += 1;
    return path.join(folder, `${what}.${look}.png`);
  };
  const browser = await launch();
  await widget(browser, keep);
  await pages(browser, new Merchant(), keep);
  await browser.close();
  console.log(`${count} pictures in ${folder}`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
