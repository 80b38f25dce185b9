'use strict';
// The same client speaks v2: it writes the XML and its signature, and verifies the replies that v2 signs. It knows by
// itself that red packets are answered without a signature.

const { Wechatpay, Formatter, Hash, Transformer } = require('wechatpay-axios-plugin');
const crypto = require('node:crypto');
const { run, prove, refused, reference, flip } = require('../stand.js');

/** One key pair that v2 never uses; the client wants one all the same. */
const unused = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });

run(async (stand) => {
  const { ours } = stand;
  const client = (baseURL, secret = ours.key) => new Wechatpay({
    baseURL, mchid: ours.mch_id, serial: 'unused', privateKey: unused.privateKey, secret,
    certs: { other: unused.publicKey }, proxy: false,
  });
  const both = { appid: ours.appid, mch_id: ours.mch_id };
  const face = (wechat, number, fen = 8888) => wechat.chain('v2/pay/facepay').post({
    ...both, sign_type: 'HMAC-SHA256', body: '红茶 2 盒 + 绿茶 <&>', out_trade_no: number, total_fee: fen, fee_type: 'CNY',
    spbill_create_ip: '203.0.113.7', face_code: 'b713b5d2-666c-48',
  });
  const wechat = client(`${stand.url}/`);
  const order = reference();
  const charged = await face(wechat, order);
  prove('create', charged.data.result_code === 'SUCCESS' && charged.data.total_fee === '8888', charged.data.transaction_id);
  prove('reply', /^[0-9A-F]{64}$/.test(charged.data.sign), 'its own check of an HMAC-SHA256 signature');
  const changing = await stand.tampering((body) => Buffer.from(body.toString().replace('8888', '8880')));
  prove('reply tampered', await refused(() => face(client(`${changing}/`), reference())));
  prove('stranger', await refused(() => face(client(`${stand.url}/`, 'x'.repeat(32)), reference())));

  const query = await wechat.chain('v2/pay/facepayquery').post({ ...both, sign_type: 'HMAC-SHA256', out_trade_no: order });
  prove('query', query.data.trade_state === 'SUCCESS');
  const number = reference();
  const back = await wechat.chain('v2/secapi/pay/refund').post({
    ...both, sign_type: 'HMAC-SHA256', out_trade_no: order, out_refund_no: number, total_fee: 8888, refund_fee: 888,
  });
  prove('refund', back.data.result_code === 'SUCCESS' && back.data.refund_fee === '888');
  const asked = await wechat.chain('v2/pay/refundquery').post({ ...both, sign_type: 'HMAC-SHA256', out_refund_no: number });
  prove('refund', asked.data.refund_status_0 === 'SUCCESS', 'queried');

  const device = await wechat.chain('v2/face/get_wxpayface_authinfo').post({
    ...both, sign_type: 'HMAC-SHA256', store_id: 'IMG001', store_name: '街角小店', device_id: 'DEV001', rawdata: 'H0kvnUgGHK',
    now: Formatter.timestamp(), version: '1',
  }).then(({ data }) => data, (error) => error.response.data);
  prove('device', device.authinfo && device.expires_in === '3600', device.authinfo);

  const packet = reference();
  const sent = await wechat.chain('v2/mmpaymkttransfers/sendredpack').post({
    mch_billno: packet, mch_id: ours.mch_id, wxappid: ours.appid, send_name: '街角小店', re_openid: 'oTest0nlyPayer',
    total_amount: 1234, total_num: 1, wishing: '恭喜发财', client_ip: '203.0.113.7', act_name: '开业抽奖', remark: '红茶',
  });
  prove('packet', sent.data.result_code === 'SUCCESS' && sent.data.total_amount === '1234', sent.data.send_listid);
  const info = () => wechat.chain('v2/mmpaymkttransfers/gethbinfo').post({ ...both, mch_billno: packet, bill_type: 'MCHT' });
  prove('packet', (await info()).data.status === 'SENT', 'waits');
  await fetch(`${stand.url}/payer/${packet}/pay`, { method: 'POST' });
  const opened = (await info()).data;
  prove('packet', opened.status === 'RECEIVED' && opened.hblist.hbinfo.amount === '1234', 'opened');

  // What our adapter signs, with the client's own reader of XML and its own signature.
  const secret = stand.settings().key;
  for (const name of stand.fixtureRequests()) {
    const golden = stand.fixture(name);
    if (golden.method !== 'POST') continue;
    const said = Transformer.toObject(golden.text);
    const signs = ({ sign, ...fields }) => sign === Hash.sign(fields.sign_type ?? 'MD5', fields, secret);
    prove('request', signs(said), name);
    const some = Object.keys(said).find((key) => key !== 'sign' && key !== 'sign_type');
    prove('request tampered', !signs({ ...said, [some]: flip(said[some]) }), name);
  }
  return {
    notice: 'v2 tells nothing of faces and red packets',
    'notice tampered': 'v2 tells nothing of faces and red packets',
  };
});
