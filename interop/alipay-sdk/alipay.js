'use strict';
// The official Node client of Alipay, OpenAPI v2.

const { AlipaySdk } = require('alipay-sdk');
const { run, prove, refused, reference, flip, publicOf, publicPem } = require('../stand.js');

// It stamps requests with the local time of the machine, but the gateway wants Beijing time.
process.env.TZ = 'Asia/Shanghai';

/** The text that Alipay signs and verifies for a request: the same rule as its second rule for notifications. */
const verifies = (verifier, form) => verifier.checkNotifySignV2(form);

run(async (stand) => {
  const { ours, keys } = stand;
  const options = {
    appId: ours.app_id, privateKey: keys.private_key.base64, keyType: 'PKCS8',
    alipayPublicKey: keys.alipay_public_key.base64, camelcase: false,
  };
  const sdk = new AlipaySdk({ ...options, gateway: `${stand.url}/gateway.do` });
  const order = reference();
  const precreate = (client, number) => client.exec('alipay.trade.precreate', {
    notify_url: stand.notifyUrl,
    bizContent: { out_trade_no: number, total_amount: '88.88', subject: '红茶 2 盒 + 绿茶 100%' },
  }, { validateSign: true });

  const created = await precreate(sdk, order);
  prove('create', created.code === '10000' && created.qr_code.startsWith('http'), created.qr_code);
  prove('reply', created.out_trade_no === order, 'its own check of the signature over the literal bytes');
  const changing = await stand.tampering((body) => Buffer.from(body.toString().replace('payer', 'prayer')));
  const changed = new AlipaySdk({ ...options, gateway: `${changing}/gateway.do` });
  prove('reply tampered', await refused(() => precreate(changed, reference())));

  await fetch(created.qr_code); // A code's trade begins when somebody scans it.
  const query = (content) => sdk.exec('alipay.trade.query', { bizContent: content }, { validateSign: true });
  prove('query', (await query({ out_trade_no: order })).trade_status === 'WAIT_BUYER_PAY', 'before the payer pays');
  await stand.pay(order);
  const { form } = await stand.notice();
  prove('notice', sdk.checkNotifySignV2(form) && form.trade_status === 'TRADE_SUCCESS', `${form.total_amount} of ${form.out_trade_no}`);
  for (const field of Object.keys(form).filter((name) => name !== 'sign_type')) {
    const other = { ...form, [field]: flip(form[field]) };
    if (!(await refused(() => sdk.checkNotifySignV2(other)))) throw new Error(`accepted a changed ${field}`);
  }
  prove('notice tampered', true, `one bit in each of ${Object.keys(form).length - 1} fields`);
  prove('query', (await query({ out_trade_no: order })).trade_status === 'TRADE_SUCCESS', 'after the payer paid');

  const back = await sdk.exec('alipay.trade.refund', {
    bizContent: { out_trade_no: order, refund_amount: '8.88', out_request_no: reference() },
  }, { validateSign: true });
  prove('refund', back.code === '10000' && back.fund_change === 'Y', back.refund_fee);
  const notice = await stand.notice();
  prove('notice', sdk.checkNotifySignV2(notice.form) && notice.form.refund_fee === '8.88', 'of the refund');

  const page = sdk.pageExec('alipay.trade.page.pay', 'GET', {
    return_url: 'http://127.0.0.1/back',
    bizContent: { out_trade_no: reference(), total_amount: '0.01', subject: 'tea', product_code: 'FAST_INSTANT_TRADE_PAY' },
  });
  const answer = await fetch(page, { redirect: 'manual' });
  prove('page', answer.status === 302 && answer.headers.get('location').includes('/payer/'), 'the signed address leads to the payer\'s page');

  const code = await stand.signedIn();
  const exchange = () => sdk.exec('alipay.system.oauth.token', { grant_type: 'authorization_code', code }, { validateSign: true });
  const told = await exchange();
  prove('sign-in', told.open_id && told.access_token, told.open_id);
  prove('sign-in', !(await exchange().catch((error) => error)).open_id, 'a code is good once');

  // What our own adapter signs, by the client's verifier with our public key in the place of Alipay's.
  const judge = new AlipaySdk({ ...options, alipayPublicKey: publicOf(stand.settings().private_key) });
  for (const name of stand.fixtureRequests()) {
    const golden = stand.fixture(name);
    const all = { ...golden.query, ...golden.form };
    if (!all.sign || !all.method) continue;
    prove('request', verifies(judge, all), name);
    prove('request tampered', !verifies(judge, { ...all, biz_content: flip(all.biz_content) }), name);
  }

  process.env.TZ = 'UTC';
  const early = await precreate(sdk, reference());
  prove('trap', early.sub_code === 'isv.invalid-timestamp', 'with TZ=UTC its local time is eight hours off, and refused');
});
