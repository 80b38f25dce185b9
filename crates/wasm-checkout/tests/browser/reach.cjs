'use strict';
// For everybody and for nobody else: the whole way by the keyboard, and scripts that somebody smuggled into the page.
const { DESK, PHONE, WAIT, accessible, holds, scene, visitor } = require('./harness.cjs');

async function keyboardAndScripts(world) {
  for (const [name, act] of Object.entries(SCENES)) await scene(name, () => act(world));
}

const newOrder = ({ merchant, store }) => merchant.post('/v1/orders', {
  amount: 1200, currency: 'CNY', subject: 'Tea <script>window.hacked = 1</script>', methods: ['testpay.page', 'testpay.qr'],
  return_url: `${store.home}/thanks`,
});

const SCENES = {
  async 'the keyboard alone'(world) {
    const context = await visitor(world.browser, DESK);
    const page = await context.newPage();
    const order = await newOrder(world);
    await page.goto(world.store.show(order));
    await page.getByRole('radio').first().waitFor({ timeout: WAIT });
    await page.keyboard.press('Tab');
    holds('Tab reaches the methods', (await focused(page)) === 'radio');
    await page.keyboard.press('ArrowDown');
    holds('an arrow chooses the next one', await page.getByRole('radio').nth(1).isChecked());
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('img', { name: /QR code/ }).waitFor({ timeout: WAIT });
    holds('the focus goes to the heading of what comes next', (await focused(page)) === 'heading');
    // Past the link for the test payer and the fresh code, to another way.
    for (let at = 0; at < 3; at += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('radio').first().waitFor({ timeout: WAIT });
    holds('the focus comes back with the list', (await focused(page)) === 'heading');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/sandbox\//, { timeout: WAIT });
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(/thanks/, { timeout: WAIT });
    await page.goto(world.store.show(order));
    await page.getByRole('heading', { name: 'Paid' }).waitFor({ timeout: WAIT });
    await world.merchant.once('by the keyboard', order.id);
    await accessible('paid, on the example', page);
    await context.close();
  },
  async 'a script that somebody smuggled in'(world) {
    const context = await visitor(world.browser, PHONE);
    const page = await context.newPage();
    const refused = [];
    await page.exposeFunction('refused', (what) => refused.push(what));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => window.refused(event.effectiveDirective));
    });
    const extra = '<script>window.hacked = 1</script><img src="x:" onerror="window.hacked = 1" alt="">'
      + '<script src="https://elsewhere.example/x.js"></script>';
    const order = await newOrder(world);
    await page.goto(world.store.show(order, { extra }));
    await page.getByRole('radio').first().waitFor({ timeout: WAIT });
    await page.waitForTimeout(200);
    holds('no script but ours has run', (await page.evaluate(() => window.hacked)) === undefined);
    holds('the browser refused them', refused.filter((what) => what.startsWith('script-src')).length >= 2, refused.join());
    holds('what looks like markup is text', (await page.getByText('<script>').count()) > 0);
    await accessible('the methods, on the example', page);
    await context.close();
  },
  async 'nobody else is asked anything'(world) {
    const context = await visitor(world.browser, DESK);
    const page = await context.newPage();
    const asked = new Set();
    page.on('request', (request) => asked.add(new URL(request.url()).origin));
    await page.goto(world.store.show(await newOrder(world)));
    await page.getByRole('radio').first().waitFor({ timeout: WAIT });
    const known = [world.store.home, world.merchant.address];
    holds('only the shop and the payment server are asked', [...asked].every((one) => known.includes(one)), [...asked].join());
    await context.close();
  },
};

// What has the focus, inside of the widget.
const focused = (page) => page.evaluate(() => {
  const inside = document.activeElement?.shadowRoot?.activeElement;
  return inside?.type === 'radio' ? 'radio' : inside?.matches('.Title') ? 'heading' : inside?.tagName ?? 'nothing';
});

module.exports = { keyboardAndScripts };
