'use strict';
// Holds the snippets against a running server: what they ask for exists, and every name they read is in the answer. Those for
// mini programs are run, with a wallet that is made here. There is no compiler for Swift and Kotlin in the tests, so of those
// the text is read: calls, fields and names. 用运行中的服务核对各代码片段：请求存在，读取的字段均在应答中。小程序片段在模拟的
// 钱包环境中真正执行；Swift 与 Kotlin 片段不经编译，只核对其文本。
//
//   PAYCORE=http://127.0.0.1:8090 PAYCORE_KEY=sk_test_… node examples/native/check.cjs
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const vm = require('node:vm');
const { pathToFileURL } = require('node:url');

const { PAYCORE: base, PAYCORE_KEY: key } = process.env;
const read = (name) => fs.readFileSync(path.join(__dirname, name), 'utf8');

let calls = 0;
async function api(method, place, body) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  if (body) headers['idempotency-key'] = `native-${process.pid}-${(calls += 1)}`;
  const answer = await fetch(base + place, { method, headers, body: body && JSON.stringify(body) });
  const told = await answer.json();
  assert.equal(answer.status, 200, `${method} ${place}: ${told.detail}`);
  return told;
}

// What one of our own calls needs of a payer is that there is one.
const order = (methods) => api('POST', '/v1/orders', {
  amount: 1200, currency: 'CNY', subject: 'Tea 茶叶', methods: [...methods, 'testpay.page'], payer: { id: 'o-shopper' },
});

// What the payer does in the wallet: the simulated channel's own page.
async function paidInTheWallet(id) {
  const { data } = await api('GET', `/v1/orders/${id}/attempts`);
  const { channel_account_id: account, reference } = data.at(-1);
  const paid = await fetch(`${base}/sandbox/${account}/payer/${reference}/pay`, { method: 'POST', redirect: 'manual' });
  assert.ok(paid.status < 400, `the wallet answers ${paid.status}`);
}

// The calls that a snippet may make, and what of their answers it may read.
async function answered(method) {
  const { id, client_secret: secret } = await order([method]);
  const ask = async (verb, place, body) => {
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
    const answer = await fetch(`${base}/checkout/${place}`, { method: verb, headers, body: body && JSON.stringify(body) });
    assert.equal(answer.status, 200, `${verb} /checkout/${place}`);
    return answer.json();
  };
  const before = await ask('GET', 'order');
  const after = await ask('POST', 'order/pay', { method, after: before.attempt?.id ?? null });
  assert.equal(after.next_action.type, 'client', method);
  return { id, order: after, names: after.next_action.parameters.map(([name]) => name) };
}

const found = (text, pattern) => [...text.matchAll(pattern)].map((match) => match[1]);

// Apps: the text names calls, fields of the body, members of the order and parameters.
async function app(file, { members, functions }) {
  const text = read(file);
  const paths = found(text, /call\("(?:GET|POST)", "(?:checkout\/)?([a-z/]+)"/g);
  assert.deepEqual([...new Set(paths)].sort(), ['order', 'order/pay'], `${file}: the calls`);
  assert.ok(/call\("GET", "(?:checkout\/)?order"/.test(text) && /call\("POST", "(?:checkout\/)?order\/pay"/.test(text), file);
  for (const [method, name] of Object.entries(functions)) {
    const start = text.indexOf(name);
    assert.ok(start > 0, `${file} has ${name}`);
    const rest = text.slice(start);
    const end = rest.slice(1).search(/\n(?:fun|func|\/\*\*|\/\/\/) /);
    const wanted = found(end < 0 ? rest : rest.slice(0, end + 1), /named\["(\w+)"\]/g);
    const { order: told, names } = await answered(method);
    assert.ok(wanted.length > 0 && wanted.every((one) => names.includes(one)), `${file}, ${method}: ${wanted} in ${names}`);
    for (const member of members) {
      assert.ok(text.includes(member.at(-1)), `${file} reads ${member}`);
      assert.notEqual(member.reduce((value, part) => value?.[part], told), undefined, `${file}: ${member.join('.')}`);
    }
    console.log(`${file}: ${method} reads ${wanted.join(' ')}`);
  }
}

// A mini program's own world: `request` goes to the server, the wallet's window is the simulated channel's page.
function world(kind, id) {
  const opened = [];
  const wallet = (options) => {
    opened.push(options);
    paidInTheWallet(id).then(() => options.complete({}));
  };
  const send = (headers) => async ({ url, method, data, success, fail, ...more }) => {
    try {
      const body = data === undefined || typeof data === 'string' ? data : JSON.stringify(data);
      const answer = await fetch(url, { method, headers: more[headers], body });
      const told = { statusCode: answer.status, status: answer.status, data: await answer.json() };
      success?.(told);
      return told;
    } catch (error) {
      fail?.(error);
      throw error;
    }
  };
  const objects = {
    wx: { request: send('header'), requestPayment: wallet },
    my: { request: send('headers'), tradePay: wallet },
  };
  return { [kind]: objects[kind], opened };
}

async function miniProgram(file, kind, method, wanted) {
  const { id, client_secret: secret } = await order([method]);
  const { opened, ...globals } = world(kind, id);
  const pay = kind === 'wx' ? common(file, globals) : await esm(file, globals);
  const paid = await pay(base, secret);
  assert.equal(paid.status, 'succeeded', `${file}: ${paid.status}`);
  assert.equal(opened.length, 1, `${file}: the wallet is opened once`);
  for (const name of wanted) assert.equal(typeof opened[0][name], 'string', `${file}: ${name}`);
  const again = await pay(base, secret);
  assert.ok(again.status === 'succeeded' && opened.length === 1, `${file}: a repeat starts nothing`);
  console.log(`${file}: ran, and ${method} was paid with ${wanted.join(' ')}`);
}

function common(file, globals) {
  const module = { exports: {} };
  vm.runInNewContext(read(file), { module, setTimeout, ...globals }, { filename: file });
  return module.exports.pay;
}

async function esm(file, globals) {
  const copy = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'native-')), 'checkout.mjs');
  fs.writeFileSync(copy, read(file));
  Object.assign(globalThis, globals);
  try {
    return (await import(pathToFileURL(copy))).pay;
  } finally {
    fs.rmSync(path.dirname(copy), { recursive: true });
  }
}

// The table of the README says what the server answers, no more and no less.
async function table() {
  const rows = read('README.md').split('\n').map((line) => /\| `(\w+\.\w+)` \|.*\| (`[^|]+`|the same[^|]*) \|$/.exec(line)).filter(Boolean);
  assert.deepEqual(rows.map(([, method]) => method),
    ['wechatpay.app', 'alipay.app', 'wechatpay.mini', 'wechatpay.jsapi', 'alipay.mini'], 'the rows of README.md');
  let said = '';
  for (const [, method, words] of rows) {
    if (words.startsWith('`')) said = words.slice(1, -1);
    const { names } = await answered(method);
    assert.deepEqual([...names].sort(), said.split(' ').sort(), `README.md: ${method}`);
  }
}

async function main() {
  // Where several channels take a method, the wallets' own have their turn.
  const { data: accounts } = await api('GET', '/v1/channel_accounts');
  for (const { id, channel } of accounts) {
    if (!['alipay', 'wechatpay', 'testpay'].includes(channel)) await api('POST', `/v1/channel_accounts/${id}`, { enabled: false });
  }
  await table();
  const shared = [['next_action', 'parameters']];
  await app('ios/Checkout.swift', {
    members: [...shared, ['status'], ['attempt', 'id'], ['next_action', 'type']],
    functions: { 'wechatpay.app': 'func openWeChat(', 'alipay.app': 'func openAlipay(' },
  });
  await app('android/Checkout.kt', {
    members: shared,
    functions: { 'wechatpay.app': 'fun openWeChat(', 'alipay.app': 'fun openAlipay(' },
  });
  const signed = ['timeStamp', 'nonceStr', 'package', 'signType', 'paySign'];
  await miniProgram('wechat-mini-program/checkout.js', 'wx', 'wechatpay.mini', signed);
  await miniProgram('alipay-mini-program/checkout.js', 'my', 'alipay.mini', ['tradeNO']);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
