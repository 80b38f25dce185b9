'use strict';
// What every part of the walk uses: the browser, the merchant's API, a shop that serves examples/checkout/index.html, and
// a list of what was seen. PAYCORE and PAYCORE_KEY say where a sandbox runs; CHROMIUM where the browser is.
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { chromium } = require('playwright-core');

const AXE = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const ROOT = path.join(__dirname, '../../../..');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const WAIT = 15_000;
const SCENE = 90_000;
const DESK = { viewport: { width: 1000, height: 800 }, locale: 'en-US' };
const PHONE = {
  viewport: { width: 390, height: 780 }, locale: 'en-US', hasTouch: true, isMobile: true,
  userAgent: 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Mobile Safari/537.36',
};

// One line per statement that has to hold.
const seen = { good: 0, bad: [] };
function holds(statement, is, detail = '') {
  if (is) seen.good += 1;
  else seen.bad.push(statement);
  if (!is || process.env.VERBOSE) console.log(`${is ? 'ok  ' : 'FAIL'} ${statement}${is || !detail ? '' : `: ${detail}`}`);
  return is;
}

// Runs a script to its end and ends with it. What is left open by then, such as a stream that nobody reads to its end, would
// keep a process that has nothing more to do.
function run(main) {
  main().then(() => process.exit(), (error) => {
    console.error(error);
    process.exit(1);
  });
}

// Runs one scene; what it throws, or that it does not end, is one more statement that does not hold.
async function scene(name, act) {
  let late;
  const end = new Promise((_, fail) => { late = setTimeout(() => fail(new Error('did not end')), SCENE); });
  try {
    await Promise.race([act(), end]);
  } catch (error) {
    holds(name, false, String(error.message).split('\n').slice(0, 6).join(' | '));
  } finally {
    clearTimeout(late);
  }
}

function launch() {
  const quiet = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--force-color-profile=srgb', '--font-render-hinting=none'];
  // As root, which a build machine often is, Chromium has no sandbox of its own.
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: [...quiet, ...root] });
}

// Somebody with a device, with no memory of an earlier visit.
async function visitor(browser, device) {
  const context = await browser.newContext(device);
  context.setDefaultTimeout(WAIT);
  context.setDefaultNavigationTimeout(WAIT);
  return context;
}

// The merchant's side of the server.
class Merchant {
  constructor(address = process.env.PAYCORE, key = process.env.PAYCORE_KEY) {
    this.address = address.replace(/\/$/, '');
    this.key = key;
    this.calls = 0;
  }
  async call(method, place, body) {
    const headers = { authorization: `Bearer ${this.key}` };
    if (body) {
      headers['content-type'] = 'application/json';
      headers['idempotency-key'] = `browser-${process.pid}-${Date.now()}-${this.calls += 1}`;
    }
    const answer = await fetch(this.address + place, { method, headers, body: body && JSON.stringify(body) });
    const told = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${place}: ${told.detail}`);
    return told;
  }
  get(place) { return this.call('GET', place); }
  post(place, body) { return this.call('POST', place, body); }

  // What was charged for an order, by both sides: our attempts, and the page that the channel shows its payer. That page
  // is made from the channel's own books, of which ours know nothing.
  async charges(id) {
    const { data } = await this.get(`/v1/orders/${id}/attempts`);
    const pages = await Promise.all(data.map(async (attempt) => {
      const page = await fetch(`${this.address}/sandbox/${attempt.channel_account_id}/payer/${attempt.reference}`);
      return page.text();
    }));
    return {
      attempts: data.length,
      ours: data.filter((attempt) => attempt.status === 'succeeded').length,
      theirs: pages.filter((page) => /支付成功|\bPaid\b/.test(page)).length,
    };
  }
  async once(name, id) {
    const { ours, theirs } = await this.charges(id);
    holds(`${name}: one charge on our books`, ours === 1, `${ours}`);
    holds(`${name}: one charge on the channel's books`, theirs === 1, `${theirs}`);
  }
}

// A shop: /order/<id> is examples/checkout/index.html with that order's client secret, under the policy that a page which
// embeds the checkout needs, and nothing wider.
async function shop(address) {
  const page = fs.readFileSync(path.join(ROOT, 'examples/checkout/index.html'), 'utf8');
  const secrets = new Map();
  const server = http.createServer((request, response) => {
    if (request.url.startsWith('/thanks')) return response.writeHead(200, { 'content-type': 'text/html' }).end('Thank you');
    const id = request.url.split('?')[0].replace('/order/', '');
    if (!secrets.has(id)) return response.writeHead(404).end();
    const { secret, extra, locale } = secrets.get(id);
    const policy = `default-src 'none'; script-src ${address} 'wasm-unsafe-eval'; connect-src ${address}; `
      + `frame-src ${address}; img-src data:; base-uri 'none'; form-action 'self' ${address}`;
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy });
    const text = page.replaceAll('{PAYCORE}', address).replaceAll('{CLIENT_SECRET}', secret);
    return response.end(text.replace('locale="auto"', `locale="${locale}"`).replace('</body>', `${extra}</body>`));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const home = `http://127.0.0.1:${server.address().port}`;
  return {
    home,
    // The address of the page for an order; `extra` is markup that somebody smuggled in.
    show(order, { extra = '', locale = 'auto' } = {}) {
      secrets.set(order.id, { secret: order.client_secret, extra, locale });
      return `${home}/order/${order.id}`;
    },
    close: () => (server.closeAllConnections(), server.close()),
  };
}

// A proxy before the server, as a CDN is, that may change the headers of what it passes on.
async function proxy(address, change = () => {}) {
  const server = http.createServer((request, response) => {
    const { method, headers } = request;
    const asked = http.request(address + request.url, { method, headers }, (answer) => {
      const passed = { ...answer.headers };
      change(passed);
      response.writeHead(answer.statusCode, passed);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    request.pipe(asked);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { home: `http://127.0.0.1:${server.address().port}`, close: () => (server.closeAllConnections(), server.close()) };
}

// What a payer's phone does that scans a code: it opens the channel's page and pays there. No second tab does it, because a
// browser that is not seen stops drawing the first one.
async function scanned(link) {
  const page = await fetch(link);
  const place = page.url.split('?')[0].replace(/\/$/, '');
  const paid = await fetch(`${place}/pay`, { method: 'POST', redirect: 'manual' });
  if (paid.status >= 400) throw new Error(`${place}/pay: ${paid.status}`);
}

// What axe finds, by WCAG 2.2 AA.
async function accessible(name, page) {
  const found = await page.evaluate(`${AXE};axe.run(document, { runOnly: ${JSON.stringify(RULES)}, resultTypes: ['violations'] })`);
  const grave = found.violations.filter((one) => ['serious', 'critical'].includes(one.impact));
  const what = grave.map((one) => `${one.id} at ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`);
  return holds(`${name}: axe finds nothing serious`, grave.length === 0, what.join('; '));
}

module.exports = { DESK, Merchant, PHONE, WAIT, accessible, holds, launch, proxy, run, scanned, scene, seen, shop, visitor };
