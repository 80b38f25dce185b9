'use strict';
// A stand in place of the server, by docs/reference/checkout-api.md, with the built widget: it makes every state there is,
// also those that a real server is in for a moment only. Its clock stands still.
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const DIST = path.join(__dirname, '../../../server/dist/');
const KINDS = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' };
const NOW = '2026-11-30T12:00:00Z';
const END = '2026-11-30T12:15:00Z';
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-src 'self'; img-src data:";

const METHODS = ['alipay.qr', 'testpay.page', 'testpay.card'].map((method) => ({ method, form: 'none' }));
const VISA = { id: 'card_1', brand: 'visa', last4: '4242', exp_month: 5, exp_year: 2030 };
const STORED = {
  methods: [{ method: 'card.web', form: 'card' }, ...METHODS],
  cards: {
    consent_version: '2026-11',
    stored: [VISA, { ...VISA, id: 'card_2', brand: 'mastercard', last4: '4444' }, { ...VISA, id: 'card_3', brand: 'unionpay', last4: '0005' }],
  },
};
// In place of the card fields: a page that has a token at once.
const FIELDS = `<!doctype html><title>Card</title><script>
  addEventListener('message', ({ data, source, origin }) => {
    if (data.type === 'tokenize') source.postMessage({ paycore: 1, type: 'token', id: data.id, token: 'tok_1' }, origin);
  });
  document.documentElement.dataset.listens = '';
</script>`;

const open = (method, next_action) => ({ attempt: { id: 'att_1', method, status: 'awaiting' }, next_action });
const over = (status, more = {}) => ({ status, attempt: { id: 'att_1', method: 'alipay.qr', status: 'succeeded' }, ...more });

// What the order says in each state: those that go on, and those in which the widget stops listening.
const GOING = {
  choose: {},
  declined: { attempt: { id: 'att_1', method: 'alipay.qr', status: 'declined' }, decline: { reason: 'insufficient_funds' } },
  qr: open('alipay.qr', { type: 'qr', content: 'https://qr.example/p/01jd7xk3fz5v9b8m2q4r6t8w0y' }),
  redirect: open('testpay.page', { type: 'redirect', url: 'https://cashier.example/pay' }),
  app: open('alipay.app', { type: 'app', url: 'alipays://platformapi/startapp?x=1' }),
  wallet: open('wechatpay.jsapi', { type: 'client', parameters: [['timeStamp', '1'], ['package', 'prepay_id=1']] }),
  voucher: open('pix.voucher', {
    type: 'voucher', number: '1234 5678 9012 34', barcode: '12345678901234', url: 'https://voucher.example/1', expires_at: END,
  }),
  transfer: open('sepa.transfer', {
    type: 'bank_transfer', rows: [['Name', 'My shop'], ['IBAN', 'DE00 0000 0000 0000 0000 00']], reference: 'RF18 5390 0754',
  }),
  unheard_of: open('alipay.qr', { type: 'telepathy' }),
  working: { attempt: { id: 'att_1', method: 'alipay.qr', status: 'unknown' } },
  releasing: { attempt: { id: 'att_1', method: 'alipay.qr', status: 'closing' } },
  // Behind a state without a list, because a list that is shown keeps its methods.
  stored: STORED,
};
const ENDED = {
  done: over('succeeded', { return_url: 'https://shop.example/thanks' }),
  authorized: over('authorized'),
  refunded: over('refunded'),
  failed: { status: 'failed', attempt: { id: 'att_1', method: 'alipay.qr', status: 'failed' }, decline: { reason: 'risk' } },
  expired: { status: 'closed', server_time: END },
  closed: { status: 'closed' },
};

class Stand {
  #listeners = new Set();
  #server = http.createServer((request, response) => this.#answer(request, response));

  // Opens for visitors; the order is a new one.
  static async open() {
    const stand = new Stand();
    stand.renew();
    await new Promise((done) => stand.#server.listen(0, '127.0.0.1', done));
    stand.home = `http://127.0.0.1:${stand.#server.address().port}`;
    return stand;
  }
  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
  page(language, theme = 'default') { return `${this.home}/?l=${language}&t=${theme}`; }

  renew(change = {}) {
    this.pays = 0;
    this.paid = null;
    this.deleted = [];
    this.refuses = null;
    this.order = {
      object: 'checkout_order', id: 'ord_1', livemode: false, version: 1, status: 'pending', amount: 1234, currency: 'CNY',
      subject: 'Tea 茶叶', merchant: { name: 'My shop' }, methods: METHODS, attempt: null, next_action: null, decline: null,
      cards: null, return_url: null, expires_at: END, server_time: NOW, ...change,
    };
  }
  // The order as it is in another state; everyone who listens is told.
  turn(change) {
    const bare = { status: 'pending', methods: METHODS, attempt: null, next_action: null, decline: null, cards: null, server_time: NOW };
    this.change({ ...bare, ...change });
  }
  change(change) {
    this.order = { ...this.order, ...change, version: this.order.version + 1 };
    const event = `id: ${this.order.version}\nevent: order\ndata: ${JSON.stringify(this.order)}\n\n`;
    for (const listener of this.#listeners) listener.write(event);
  }

  #answer(request, response) {
    const url = new URL(request.url, this.home);
    const at = { '/': () => this.#shop(url, response), '/checkout/order': () => this.#told(response) };
    if (at[url.pathname]) return at[url.pathname]();
    if (url.pathname === '/checkout/order/events') return this.#listen(request, response);
    if (/^\/checkout\/(order|cards)\//.test(url.pathname)) return this.#act(url.pathname, request, response);
    if (url.pathname === '/checkout/card') return response.writeHead(200, { 'content-type': 'text/html' }).end(FIELDS);
    if (url.pathname === '/cashier') {
      return response.writeHead(200, { 'content-type': 'text/html' }).end('<title>cashier</title>cashier');
    }
    const file = path.join(DIST, path.basename(url.pathname));
    if (!fs.existsSync(file)) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': KINDS[path.extname(file)] }).end(fs.readFileSync(file));
  }
  #shop(url, response) {
    const [language, theme] = [url.searchParams.get('l'), url.searchParams.get('t')];
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY });
    response.end(`<!doctype html><html lang="en"><title>Shop</title><meta name="viewport" content="width=device-width">
      <script src="/checkout/paycore.js" async></script><main><h1>Shop</h1>
      <paycore-checkout client-secret="cs_test_x" locale="${language}" theme="${theme}"></paycore-checkout></main></html>`);
  }
  #told(response) {
    if (this.silent) return;
    const refused = this.refuses && { code: this.refuses, status: 409 };
    response.writeHead(refused ? 409 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(refused || this.order));
  }
  #listen(request, response) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    this.#listeners.add(response);
    request.on('close', () => this.#listeners.delete(response));
  }
  async #act(where, request, response) {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const asked = JSON.parse(Buffer.concat(pieces).toString());
    // A click that comes twice comes within this time.
    await new Promise((done) => setTimeout(done, 150));
    if (where.endsWith('/pay') && (asked.after ?? null) === (this.order.attempt?.id ?? null)) this.#pay(asked);
    if (where.endsWith('/release') && this.order.attempt) {
      this.change({ attempt: { ...this.order.attempt, status: 'closed' }, next_action: null });
    }
    if (where.endsWith('/delete')) this.#delete(asked.card_id);
    this.#told(response);
  }
  // A card that goes is no new version of the order, so that nobody else is told.
  #delete(id) {
    this.deleted.push(id);
    const { cards } = this.order;
    this.order = { ...this.order, cards: { ...cards, stored: cards.stored.filter((card) => card.id !== id) } };
  }
  #pay(asked) {
    this.pays += 1;
    this.paid = asked;
    const { method } = asked;
    const attempt = { id: `att_${this.pays}`, method, status: 'awaiting' };
    const next = {
      qr: { next_action: { type: 'qr', content: 'https://qr.example/x' }, attempt },
      page: { next_action: { type: 'redirect', url: `${this.home}/cashier` }, attempt },
      card: { next_action: null, status: 'succeeded', attempt: { ...attempt, status: 'succeeded' } },
    };
    this.change(next[method.split('.')[1]] ?? next.card);
  }
}

module.exports = { ENDED, GOING, NOW, STORED, Stand };
