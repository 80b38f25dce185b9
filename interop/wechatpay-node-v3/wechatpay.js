'use strict';
// A widely used Node client of WeChat Pay v3. It names WeChat's own host in every call; its `createHttp` option takes
// the service that sends them, and ours is its own with another host.

const Pay = require('wechatpay-node-v3');
const { PayRequest } = require('wechatpay-node-v3/dist/lib/pay-request');
const { run, prove, reference, flip } = require('../stand.js');

class Elsewhere extends PayRequest {
  constructor(base) {
    super();
    this.base = base;
  }

  post(url, params, headers) {
    return super.post(url.replace('https://api.mch.weixin.qq.com', this.base), params, headers);
  }

  get(url, headers) {
    return super.get(url.replace('https://api.mch.weixin.qq.com', this.base), headers);
  }
}

run(async (stand) => {
  const { ours, keys } = stand;
  const pay = new Pay({
    appid: ours.appid, mchid: ours.mchid, serial_no: ours.serial_no, key: ours.apiv3_key,
    publicKey: Buffer.from(keys.public_key.pem), privateKey: Buffer.from(keys.private_key.pem),
  });
  pay.createHttp(new Elsewhere(stand.url));
  // It knows platform certificates only; the key of public-key mode goes where it keeps those.
  Pay.certificates = { [ours.public_key_id]: keys.public_key.pem };

  const order = reference();
  const created = await pay.transactions_native({
    description: '红茶 2 盒 + 绿茶', out_trade_no: order, notify_url: stand.notifyUrl, amount: { total: 8888 },
  });
  prove('create', created.status === 200 && created.data.code_url, created.data?.code_url);

  await stand.pay(order);
  const { headers, text } = await stand.notice();
  const verify = (given, body) => pay.verifySign({
    timestamp: given['wechatpay-timestamp'], nonce: given['wechatpay-nonce'], body,
    serial: given['wechatpay-serial'], signature: given['wechatpay-signature'],
  });
  prove('notice', await verify(headers, text));
  const { ciphertext, associated_data: aad, nonce } = JSON.parse(text).resource;
  const opened = pay.decipher_gcm(ciphertext, aad, nonce, ours.apiv3_key);
  prove('notice', opened.out_trade_no === order && opened.amount.total === 8888, 'and its content opens');
  for (let at = 0; at < text.length; at += 7) {
    if (await verify(headers, flip(text, at))) throw new Error(`byte ${at}`);
  }
  for (const name of ['wechatpay-timestamp', 'wechatpay-nonce', 'wechatpay-signature']) {
    if (await verify({ ...headers, [name]: flip(headers[name]) }, text)) throw new Error(name);
  }
  prove('notice tampered', true, 'one bit in every seventh byte of the body and in each signed header');
  // It opens the seal without looking at its tag, so that only the signature protects the content.
  prove('trap', pay.decipher_gcm(flip(ciphertext), aad, nonce, ours.apiv3_key) !== opened, 'a changed seal opens, to other content');

  const queried = await pay.query({ out_trade_no: order });
  prove('query', queried.data.trade_state === 'SUCCESS');
  const back = await pay.refunds({
    out_trade_no: order, out_refund_no: reference(), amount: { refund: 888, total: 8888, currency: 'CNY' },
  });
  prove('refund', back.data.status === 'SUCCESS');
  const jsapi = await pay.transactions_jsapi({
    description: 'tea', out_trade_no: reference(), notify_url: stand.notifyUrl, amount: { total: 1 },
    payer: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' },
  });
  prove('create', jsapi.status === 200 && jsapi.data.paySign, 'jsapi, with the parameters it signs for the page');
  return { reply: 'the client verifies none' };
}, { acknowledge: '' });
