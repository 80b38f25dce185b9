'use strict';
// The official Node client of Alipay, OpenAPI v3, with keys, with certificates, and with encrypted content.

const { AlipaySdk } = require('alipay-sdk');
const { run, prove, refused, reference, flip } = require('../stand.js');

run(async (stand) => {
  const { ours, keys, theirs } = stand;
  const base = { appId: ours.app_id, privateKey: keys.private_key.base64, keyType: 'PKCS8', endpoint: stand.url };
  const byKey = { ...base, alipayPublicKey: keys.alipay_public_key.base64 };
  const byCertificate = {
    ...base, appCertContent: ours.app_certificate, alipayPublicCertContent: ours.alipay_certificate,
    alipayRootCertContent: ours.alipay_root_certificate,
  };
  const body = (number) => ({
    out_trade_no: number, total_amount: '88.88', subject: '红茶 2 盒 + 绿茶', notify_url: stand.notifyUrl,
  });
  const precreate = (sdk, number, more = {}) => sdk.curl('POST', '/v3/alipay/trade/precreate', { body: body(number), ...more });

  const order = reference();
  const sdk = new AlipaySdk(byKey);
  const created = await precreate(sdk, order);
  prove('create', created.data.qr_code.startsWith('http'), 'with keys');
  prove('reply', created.data.out_trade_no === order, 'its own check of the signature in the headers');
  const changing = await stand.tampering((text) => Buffer.from(text.toString().replace('payer', 'prayer')));
  prove('reply tampered', await refused(() => precreate(new AlipaySdk({ ...byKey, endpoint: changing }), reference())));
  const certified = await precreate(new AlipaySdk(byCertificate), reference());
  prove('create', certified.data.qr_code.startsWith('http'), 'with certificates');
  const sealed = await precreate(new AlipaySdk({ ...byKey, encryptKey: theirs.aes_key }), reference(), { needEncrypt: true });
  prove('create', sealed.data.qr_code.startsWith('http'), 'with encrypted content');

  await stand.pay(order);
  const { form } = await stand.notice();
  prove('notice', sdk.checkNotifySignV2(form) && form.out_trade_no === order, form.trade_status);
  prove('notice tampered', !sdk.checkNotifySignV2({ ...form, total_amount: flip(form.total_amount) }));
  const asked = await sdk.curl('POST', '/v3/alipay/trade/query', { body: { out_trade_no: order } });
  prove('query', asked.data.trade_status === 'TRADE_SUCCESS');
  const back = await sdk.curl('POST', '/v3/alipay/trade/refund', {
    body: { out_trade_no: order, refund_amount: '8.88', out_request_no: reference() },
  });
  prove('refund', back.data.fund_change === 'Y', back.data.refund_fee);

  const grant = { grant_type: 'authorization_code', code: await stand.signedIn() };
  const exchange = () => sdk.curl('POST', '/v3/alipay/system/oauth/token', { body: grant });
  prove('sign-in', (await exchange()).data.open_id, 'who the payer is');
  prove('sign-in', await refused(exchange), 'a code is good once');
});
