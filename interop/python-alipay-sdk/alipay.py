"""The Python client of Alipay that most shops use. It insists on Alipay's own host, so that it goes through a proxy."""

import os
import time

os.environ["TZ"] = "Asia/Shanghai"  # it stamps requests with the local time of the machine
time.tzset()

from stand import Stand, done, flip, prove, public_of, reference, refused  # noqa: E402

stand = Stand()
os.environ["SSL_CERT_FILE"] = stand.trust("openapi.alipay.com")
os.environ["https_proxy"] = stand.proxy()

from alipay import AliPay  # noqa: E402
from alipay.exceptions import AliPayValidationError  # noqa: E402


def client(public):
    return AliPay(
        appid=stand.ours["app_id"],
        app_notify_url=stand.notify_url,
        app_private_key_string=stand.keys["private_key"]["pem"],
        alipay_public_key_string=public,
    )


alipay = client(stand.keys["alipay_public_key"]["pem"])
order = reference()
content = {"out_trade_no": order, "total_amount": "88.88", "subject": "红茶 2 盒 + 绿茶 100%"}
created = alipay.server_api("alipay.trade.precreate", dict(content), notify_url=stand.notify_url)
prove("create", created["code"] == "10000" and created["out_trade_no"] == order, created["qr_code"])
prove("reply", True, "its own check of the signature over the literal bytes")

stand.change = lambda body: body.replace(b"payer", b"prayer")
again = dict(content, out_trade_no=reference())
prove("reply tampered", refused(lambda: alipay.server_api("alipay.trade.precreate", again), AliPayValidationError))
stand.change = None

stand.pay(order)
notice = stand.notice().form
signature = notice.pop("sign")
prove("notice", alipay.verify(dict(notice), signature), f"{notice['total_amount']} of {notice['out_trade_no']}")
for field in notice:
    if field != "sign_type":
        other = dict(notice, **{field: flip(notice[field])})
        assert refused(lambda: alipay.verify(other, signature)), field
prove("notice tampered", refused(lambda: alipay.verify(dict(notice), flip(signature))), f"one bit in each of {len(notice)} fields")

prove("query", alipay.api_alipay_trade_query(out_trade_no=order)["trade_status"] == "TRADE_SUCCESS")
back = alipay.api_alipay_trade_refund("8.88", out_trade_no=order, out_request_no=reference())
prove("refund", back["fund_change"] == "Y", back["refund_fee"])
asked = alipay.api_alipay_trade_fastpay_refund_query(reference(), out_trade_no=order)
prove("query", "refund_status" not in asked, "of a refund that is not there")

judge = client(public_of(stand.settings()["private_key"]))
for name in stand.fixture_requests():
    golden = stand.fixture(name)
    everything = {**golden.query, **golden.form}
    sign = everything.pop("sign", None)
    if not sign or "method" not in everything:
        continue
    # Its rule for notifications leaves `sign_type` out; a request's keeps it.
    text = "&".join(f"{key}={value}" for key, value in sorted(everything.items()))
    prove("request", judge._verify(text, sign), name)
    prove("request tampered", not judge._verify(flip(text, at=40), sign), name)

os.environ["TZ"] = "UTC"
time.tzset()
early = alipay.server_api("alipay.trade.precreate", dict(content, out_trade_no=reference()))
prove("trap", early["sub_code"] == "isv.invalid-timestamp", "with TZ=UTC its local time is eight hours off, and refused")
done()
