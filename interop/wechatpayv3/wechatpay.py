"""The Python client of WeChat Pay v3, in public-key mode. It insists on WeChat's own host: its `proxy` option helps."""

import json
import os
import time

from stand import Stand, done, flip, prove, public_of, reference, refused

stand = Stand(acknowledge=b"")
os.environ["REQUESTS_CA_BUNDLE"] = stand.trust("api.mch.weixin.qq.com")

from wechatpayv3 import WeChatPay, WeChatPayType  # noqa: E402
from wechatpayv3 import utils  # noqa: E402

ours = stand.ours


def titled(headers):
    return {"-".join(part.capitalize() for part in name.split("-")): value for name, value in headers.items()}


def client(ours, public):
    return WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=ours["mchid"],
        private_key=ours["private_key"],
        cert_serial_no=ours["serial_no"],
        appid=ours["appid"],
        apiv3_key=ours["apiv3_key"],
        notify_url=stand.notify_url,
        proxy={"https": stand.proxy()},
        timeout=20,
        public_key=public,
        public_key_id=ours["public_key_id"],
    )


wechat = client(ours, stand.keys["public_key"]["pem"])
order = reference()
code, text = wechat.pay(description="红茶 2 盒 + 绿茶", out_trade_no=order, amount={"total": 8888})
prove("create", code == 200 and json.loads(text)["code_url"], f"{code} {text}")
prove("reply", True, "its own check of the signature")
stand.change = lambda body: body.replace(b"payer", b"prayer")
prove("reply tampered", refused(lambda: wechat.pay(description="x", out_trade_no=reference(), amount={"total": 1})))
stand.change = None

code, text = wechat.query(out_trade_no=order)
prove("query", code == 200 and json.loads(text)["trade_state"] == "NOTPAY", "before the payer pays")
stand.pay(order)
notice = stand.notice()
headers = titled(notice.headers)
opened = wechat.callback(headers, notice.body)
resource = opened["resource"]
prove("notice", resource["out_trade_no"] == order and resource["amount"]["total"] == 8888, opened["event_type"])
for at in range(0, len(notice.body), 7):
    assert refused(lambda: wechat.callback(headers, flip(notice.text, at=at))), at
for name in ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature"]:
    other = dict(headers, **{name: flip(headers[name])})
    assert refused(lambda: wechat.callback(other, notice.body)), name
prove("notice tampered", True, "one bit in every seventh byte of the body and in each signed header")

golden = stand.settings()
old = stand.fixture("notice_paid")
keeper = client(golden, golden["public_key"])
taken = keeper.callback(titled(old.headers), old.body)
prove("trap", taken["event_type"] == "TRANSACTION.SUCCESS", "it takes a notification of any age; ours does not")

code, text = wechat.query(out_trade_no=order)
prove("query", json.loads(text)["trade_state"] == "SUCCESS", "after the payer paid")
code, text = wechat.refund(
    out_refund_no=reference(), out_trade_no=order, amount={"refund": 888, "total": 8888, "currency": "CNY"}
)
prove("refund", code == 200 and json.loads(text)["status"] == "SUCCESS")
closing = reference()
wechat.pay(description="x", out_trade_no=closing, amount={"total": 1})
code, text = wechat.close(closing)
prove("close", code == 204)

# What our adapter signs, with the client's own verifier and text of a request.
public = utils.load_public_key(public_of(stand.settings()["private_key"]))
for name in stand.fixture_requests():
    golden = stand.fixture(name)
    scheme, _, parameters = golden.headers.get("authorization", "").partition(" ")
    if not parameters:
        continue
    said = dict(part.split("=", 1) for part in parameters.split(","))
    said = {key: value.strip('"') for key, value in said.items()}
    start = "\n".join([golden.method, golden.path, said["timestamp"]])
    fits = utils.rsa_verify(start, said["nonce_str"], golden.text, said["signature"], public)
    prove("request", fits and scheme == "WECHATPAY2-SHA256-RSA2048", name)
    wrong = utils.rsa_verify(flip(start, at=2), said["nonce_str"], golden.text, said["signature"], public)
    prove("request tampered", not wrong, name)
done()
