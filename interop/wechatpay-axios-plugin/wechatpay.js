'use strict';
// The Node client of WeChat Pay v3 that follows the official ones most closely; its `baseURL` option leads anywhere.

const { Wechatpay, Formatter, Rsa, Aes } = require('wechatpay-axios-plugin');
const { run, prove, refused, reference, flip, publicOf } = require('../stand.js');

/** Its README's way to verify a notification: the text of a reply, and the clock within five minutes. */
function opens(stand, headers, body, now = Formatter.timestamp()) {
  const { 'wechatpay-timestamp': timestamp, 'wechatpay-nonce': nonce, 'wechatpay-signature': signature } = headers;
  if (headers['wechatpay-serial'] !== stand.ours.public_key_id) return null;
  if (Math.abs(now - Number(timestamp)) > 300) return null;
  if (!Rsa.verify(Formatter.response(timestamp, nonce, body), signature, stand.keys.public_key.pem)) return null;
  const { ciphertext, nonce: iv, associated_data: aad } = JSON.parse(body).resource;
  return JSON.parse(Aes.AesGcm.decrypt(ciphertext, stand.ours.apiv3_key, iv, aad));
}

run(async (stand) => {
  const { ours, keys } = stand;
  const client = (baseURL) => new Wechatpay({
    baseURL, mchid: ours.mchid, serial: ours.serial_no, privateKey: keys.private_key.pem,
    certs: { [ours.public_key_id]: keys.public_key.pem }, secret: 'x'.repeat(32), proxy: false,
  });
  const pay = (wechat, number, scene = 'native', more = {}) => wechat.chain(`v3/pay/transactions/${scene}`).post({
    appid: ours.appid, mchid: ours.mchid, description: '红茶 2 盒 + 绿茶', out_trade_no: number,
    notify_url: stand.notifyUrl, amount: { total: 8888, currency: 'CNY' }, ...more,
  });
  const wechat = client(`${stand.url}/`);
  const order = reference();
  const created = await pay(wechat, order);
  prove('create', created.status === 200 && created.data.code_url, created.data.code_url);
  prove('reply', true, 'its own check of the signature and of the clock');
  const changing = await stand.tampering((body) => Buffer.from(body.toString().replace('payer', 'prayer')));
  prove('reply tampered', await refused(() => pay(client(`${changing}/`), reference())));

  await stand.pay(order);
  const { headers, text } = await stand.notice();
  const opened = opens(stand, headers, text);
  prove('notice', opened?.out_trade_no === order && opened.amount.total === 8888, opened?.trade_state);
  for (let at = 0; at < text.length; at += 7) {
    if (!(await refused(() => opens(stand, headers, flip(text, at))))) throw new Error(`byte ${at}`);
  }
  for (const name of ['wechatpay-timestamp', 'wechatpay-nonce', 'wechatpay-signature', 'wechatpay-serial']) {
    const other = { ...headers, [name]: flip(headers[name]) };
    if (!(await refused(() => opens(stand, other, text)))) throw new Error(name);
  }
  prove('notice tampered', true, 'one bit in every seventh byte of the body and in each signed header');
  prove('notice stale', !opens(stand, headers, text, Formatter.timestamp() + 301));

  const query = () => wechat.chain(`v3/pay/transactions/out-trade-no/${order}`).get({ params: { mchid: ours.mchid } });
  prove('query', (await query()).data.trade_state === 'SUCCESS');
  const back = await wechat.chain('v3/refund/domestic/refunds').post({
    out_trade_no: order, out_refund_no: reference(), notify_url: stand.notifyUrl,
    amount: { refund: 888, total: 8888, currency: 'CNY' },
  });
  prove('refund', back.data.status === 'SUCCESS');
  const refunded = await stand.notice();
  prove('notice', opens(stand, refunded.headers, refunded.text)?.amount.refund === 888, 'of the refund');
  const prepaid = await pay(wechat, reference(), 'jsapi', { payer: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' } });
  prove('create', prepaid.data.prepay_id, 'jsapi');

  // What our adapter signs, with the client's own text of a request and its verifier.
  const judge = Rsa.from(publicOf(stand.settings().private_key), Rsa.KEY_TYPE_PUBLIC);
  for (const name of stand.fixtureRequests()) {
    const golden = stand.fixture(name);
    const said = Object.fromEntries([...(golden.headers.authorization ?? '').matchAll(/(\w+)="([^"]*)"/g)].map((found) => found.slice(1)));
    if (!said.signature) continue;
    const signed = (path) => Formatter.request(golden.method, path, said.timestamp, said.nonce_str, golden.text);
    prove('request', Rsa.verify(signed(golden.path), said.signature, judge), name);
    prove('request tampered', !Rsa.verify(signed(flip(golden.path)), said.signature, judge), name);
  }
}, { acknowledge: '' });
