'use strict';
// Pictures of every state of the built widget, and of our own pages on a phone, as PNG files in the folder that is named:
// light, dark, Arabic and Chinese, with a README.md that shows them all. Of the widget, the stand's clock and the page's stand still, so that the same browser and
// fonts make the same pictures; the pages are those of the server at PAYCORE, whose codes and numbers are new every time.
const fs = require('node:fs');
const path = require('node:path');
const { Merchant, PHONE, WAIT, launch, run } = require('./harness.cjs');
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
      // Below the widget stands the page in forms, which is not seen.
      await page.locator(`${drawn} >> visible=true`).first().waitFor();
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

// What the README calls each picture.
const TITLES = {
  choose: 'The list of methods 支付方式列表', stored: 'Cards that were kept 已保存的卡', declined: 'Declined, with another try 被拒后可重试',
  qr: 'A code to scan 扫码', redirect: 'On to a cashier 前往收银台', app: 'Into an app 打开应用', wallet: 'In the wallet’s browser 钱包内支付',
  voucher: 'A number for the counter 柜台付款码', transfer: 'A bank transfer 银行转账', unheard_of: 'A step this version does not know 未知步骤',
  working: 'Unknown yet, please wait 结果确认中', releasing: 'Giving up a try 撤销上一笔', done: 'Paid 已支付', authorized: 'Reserved 已预授权',
  refunded: 'Refunded 已退款', failed: 'Not paid 支付失败', expired: 'Expired 已过期', closed: 'Closed 已关闭',
  page_pay: 'The page of an order 订单支付页', page_qr: 'A code to scan 扫码', page_done: 'Paid 已支付',
  page_receipt: 'The receipt, after a refund 收据（含退款）', page_link: 'A payment link 收款链接',
  till_amount: 'The till: an amount 收银台：输入金额', till_sale: 'A sale: scan or be scanned 收款：出示或扫描', till_paid: 'Paid 已收款',
};
const HEAD = `# Every state of the checkout 收银组件与页面的全部状态

What a payer sees, at the width of a phone: light, dark, Arabic from right to left, and Chinese. The pictures are taken in
Chromium, and this page is written, by \`cargo xtask gen --screenshots\`. The widget stands before a stand that makes every state,
with its clock standing still; the pages are those of a server with its sandbox on. The same states are judged by axe (WCAG 2.2
AA), the widget's in ten languages, by \`cargo xtask test browser\`. 付款人在手机宽度下看到的界面：浅色、深色、从右到左的阿拉伯文，以及中文。图片与
本页由 \`cargo xtask gen --screenshots\` 生成，取自 Chromium。组件由可产生全部状态的模拟服务驱动，时钟固定；页面取自开启沙箱的服务。
\`cargo xtask test browser\` 用 axe（WCAG 2.2 AA）检查同样的状态，组件检查十种语言。
`;

// The page that shows the pictures that were taken, in the order of their titles.
function readme(taken) {
  const picture = (what, look) => (taken.has(`${what}.${look}`) ? `![${what}, ${look}](${what}.${look}.png)` : '–');
  const row = (what) => `| ${TITLES[what]} | ${Object.keys(LOOKS).map((look) => picture(what, look)).join(' | ')} |`;
  const table = (title, names) => `
## ${title}

| | light 浅色 | dark 深色 | Arabic 阿拉伯文 | Chinese 中文 |
|---|---|---|---|---|
${names.map(row).join('\n')}
`;
  const names = Object.keys(TITLES);
  const ours = names.filter((what) => /^(page|till)_/.test(what));
  const strange = [...taken].filter((name) => !(name.split('.')[0] in TITLES));
  if (strange.length > 0) throw new Error(`no title for ${strange.join(', ')}`);
  const widget = table('The widget 组件', names.filter((what) => !ours.includes(what)));
  return `${HEAD}${widget}${table('Our own pages 托管页面', ours)}
The till speaks Chinese and English. 收银台提供中文与英文。
`;
}

async function main() {
  const folder = path.resolve(process.argv[2] ?? '.');
  fs.mkdirSync(folder, { recursive: true });
  const taken = new Set();
  const keep = (what, look) => {
    taken.add(`${what}.${look}`);
    return path.join(folder, `${what}.${look}.png`);
  };
  const browser = await launch();
  await widget(browser, keep);
  await pages(browser, new Merchant(), keep);
  await browser.close();
  fs.writeFileSync(path.join(folder, 'README.md'), readme(taken));
  console.log(`${taken.size} pictures in ${folder}`);
}

run(main);
