'use strict';
// The same client speaks v2's mandates: it signs the pages that payers open, writes the XML, and verifies what comes back.

const { Wechatpay, Formatter, Hash, Transformer } = require('wechatpay-axios-plugin');
const crypto = require('node:crypto');
const { run, prove, refused, reference, flip } = require('../stand.js');

/** One key pair that v2 never uses; the client wants one all the same. */
const unused = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });

/** Whether fields carry the client's own signature of all the others. */
const signs = ({ sign, ...fields }, kind, secret) => sign === Hash.sign(kind, fields, secret);

run(async (stand) => {
  const { ours } = stand;
  const client = (baseURL, secret = ours.key) => new Wechatpay({
    baseURL, mchid: ours.mch_id, serial: 'unused', privateKey: unused.privateKey, secret,
    certs: { other: unused.publicKey }, proxy: false,
  });
  const wechat = client(`${stand.url}/`);
  const both = { appid: ours.appid, mch_id: ours.mch_id };
  const contract = reference();
  const asked = {
    ...both, plan_id: ours.plan_id, contract_code: contract, request_serial: '1000', contract_display_account: '微信代扣',
    notify_url: stand.notifyUrl, version: '1.0', timestamp: String(Formatter.timestamp()),
  };
  const open = (page, kind, more = {}) => {
    const fields = { ...asked, ...more };
    const query = new URLSearchParams({ ...fields, sign: Hash.sign(kind, fields, ours.key) });
    return fetch(`${stand.url}/papay/${page}?${query}`, { redirect: 'manual' });
  };
  prove('sign', (await open('entrustweb', 'MD5')).status === 303, 'the page inside WeChat');
  prove('sign', (await open('h5entrustweb', 'HMAC-SHA256', { clientip: '203.0.113.7' })).status === 303, 'other browsers');
  prove('sign', (await open('h5entrustweb', 'MD5', { clientip: '203.0.113.7' })).status === 400, 'not in the other way');
  await fetch(`${stand.url}/payer/${contract}/sign`, { method: 'POST' });
  const told = async () => Transformer.toObject((await stand.notice()).text);
  const added = await told();
  prove('notice', signs(added, 'MD5', ours.key) && added.change_type === 'ADD', added.contract_id);
  prove('notice tampered', !signs({ ...added, contract_id: flip(added.contract_id) }, 'MD5', ours.key));

  const known = { ...both, plan_id: ours.plan_id, contract_code: contract, version: '1.0' };
  const found = await wechat.chain('v2/papay/querycontract').post(known, { nonceless: true });
  prove('query', found.data.contract_state === '0' && found.data.contract_id === added.contract_id, 'signed');
  const charge = (by, number, fen = 8888) => by.chain('v2/pay/pappayapply').post({
    ...both, body: '红茶 2 盒 + 绿茶 <&>', out_trade_no: number, total_fee: fen, fee_type: 'CNY',
    spbill_create_ip: '203.0.113.7', notify_url: stand.notifyUrl, trade_type: 'PAP', contract_id: added.contract_id,
  });
  const order = reference();
  const accepted = await charge(wechat, order);
  prove('create', accepted.data.result_code === 'SUCCESS' && !accepted.data.transaction_id, 'accepted');
  prove('reply', /^[0-9A-F]{32}$/.test(accepted.data.sign), 'its own check of an MD5 signature');
  const changing = await stand.tampering((body) => Buffer.from(body.toString().replace('OK', 'KO')));
  prove('reply tampered', await refused(() => charge(client(`${changing}/`), reference())));
  prove('stranger', await refused(() => charge(client(`${stand.url}/`, 'x'.repeat(32)), reference())));
  const charged = await told();
  const right = signs(charged, 'MD5', ours.key) && charged.out_trade_no === order && charged.total_fee === '8888';
  prove('notice', right, charged.transaction_id);
  const query = await wechat.chain('v2/pay/paporderquery').post({ ...both, out_trade_no: order });
  prove('query', query.data.trade_state === 'SUCCESS');
  const number = reference();
  const back = await wechat.chain('v2/secapi/pay/refund').post({
    ...both, out_trade_no: order, out_refund_no: number, total_fee: 8888, refund_fee: 888,
  });
  prove('refund', back.data.result_code === 'SUCCESS' && back.data.refund_fee === '888');

  const ended = await wechat.chain('v2/papay/deletecontract').post({ ...known, contract_termination_remark: '用户搬家' }, { nonceless: true });
  prove('revoke', ended.data.contract_code === contract);
  const gone = await wechat.chain('v2/papay/querycontract').post(known, { nonceless: true });
  prove('revoke', gone.data.contract_state === '1' && gone.data.contract_termination_mode === '3');

  // What our adapter signs, with the client's own reader of XML and its own signature.
  const secret = stand.settings().key;
  for (const name of stand.fixtureRequests()) {
    const golden = stand.fixture(name);
    const said = golden.method === 'POST' ? Transformer.toObject(golden.text) : golden.query;
    const kind = golden.path.startsWith('/papay/h5entrustweb') ? 'HMAC-SHA256' : 'MD5';
    prove('request', signs(said, kind, secret), name);
    const some = Object.keys(said).find((key) => key !== 'sign');
    prove('request tampered', !signs({ ...said, [some]: flip(said[some]) }, kind, secret), name);
  }
}, { acknowledge: '<xml><return_code>SUCCESS</return_code></xml>' });
