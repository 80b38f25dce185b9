"""The official Python client of Douyin Pay."""

from bytedance.douyinpay.callback import CallbackHandler
from bytedance.douyinpay.client import DouyinPayClient
from bytedance.douyinpay.config import DouYinPayConfig
from bytedance.douyinpay.crypto.rsa import load_rsa_public_key, rsa_verify
from bytedance.douyinpay.errors import DouYinPayAPIError
from bytedance.douyinpay.formatter import build_request_sign_message

from stand import Stand, done, flip, prove, public_of, reference, refused

stand = Stand(acknowledge=b"")
ours = stand.ours
certs = {stand.theirs["platform_serial"]: ours["platform_certificate"]}


def client(base_url):
    return DouyinPayClient(
        DouYinPayConfig(
            mchid=ours["mchid"],
            serial=ours["serial_no"],
            private_key=stand.keys["private_key"]["pem"],
            certs=certs,
            base_url=base_url,
            encrypt_key=ours["encrypt_key"],
        )
    )


douyin = client(stand.url)
orders = "/v1/trade/transactions"


def create(pay, number):
    body = {
        "appid": ours["appid"],
        "mchid": ours["mchid"],
        "description": "红茶 2 盒 + 绿茶",
        "out_trade_no": number,
        "notify_url": stand.notify_url,
        "amount": {"total": 8888, "currency": "CNY"},
    }
    return pay.request("POST", f"{orders}/native", json=body)


order = reference()
created = create(douyin, order)
prove("create", created.status_code == 200 and created.data["code_url"], created.data["code_url"])
prove("reply", True, "its own check of the signature and of the clock")
stand.change = lambda body: body.replace(b"payer", b"prayer")
prove("reply tampered", refused(lambda: create(client(stand.proxy()), reference())))
stand.change = None


def query():
    return douyin.request("GET", f"{orders}/out-trade-no/{order}", params={"mchid": ours["mchid"]}).data


prove("query", query()["trade_state"] == "NOTPAY", "before the payer pays")
stand.pay(order)
notice = stand.notice()
opened = douyin.parse_callback(notice.headers, notice.body)
prove("notice", opened.content["out_trade_no"] == order and opened.content["amount"]["total"] == 8888, opened.event_type)
for at in range(0, len(notice.body), 7):
    assert refused(lambda: douyin.parse_callback(notice.headers, flip(notice.text, at=at))), at
for name in notice.headers:
    if name.lower() in ("douyinpay-timestamp", "douyinpay-nonce", "douyinpay-signature", "douyinpay-serial"):
        other = dict(notice.headers, **{name: flip(notice.headers[name])})
        assert refused(lambda: douyin.parse_callback(other, notice.body)), name
prove("notice tampered", True, "one bit in every seventh byte of the body and in each signed header")
prove("query", query()["trade_state"] == "SUCCESS", "after the payer paid")

back = douyin.request(
    "POST",
    "/v1/trade/refund/domestic/refunds",
    json={
        "appid": ours["appid"],
        "mchid": ours["mchid"],
        "out_trade_no": order,
        "out_refund_no": reference(),
        "notify_url": stand.notify_url,
        "amount": {"refund": 888, "total": 8888, "currency": "CNY"},
    },
)
prove("refund", back.status_code == 200, back.data.get("status"))
refunded = stand.notice()
prove("notice", douyin.parse_callback(refunded.headers, refunded.body).content["amount"]["refund"] == 888, "of the refund")
prove("query", refused(lambda: douyin.request("GET", f"{orders}/out-trade-no/{reference()}", params={"mchid": ours["mchid"]}), DouYinPayAPIError), "of an order that is not there")

golden_ours = stand.settings()
handler = CallbackHandler(golden_ours["encrypt_key"], {stand.settings("theirs")["platform_serial"]: golden_ours["platform_certificate"]}, max_clock_offset=10**9)
golden = stand.fixture("notice_paid")
prove("notice", handler.parse(golden.headers, golden.body).content["trade_state"] == "SUCCESS", "the recorded one, its age apart")
recent = CallbackHandler(handler.encrypt_key, handler.certs)
prove("notice stale", refused(lambda: recent.parse(golden.headers, golden.body)))

public = load_rsa_public_key(public_of(golden_ours["private_key"]))
for name in stand.fixture_requests():
    sent = stand.fixture(name)
    _, _, parameters = sent.headers.get("authorization", "").partition(" ")
    if not parameters:
        continue
    said = {key: value.strip('"') for key, value in (part.split("=", 1) for part in parameters.split(","))}
    text = build_request_sign_message(sent.method, sent.path, int(said["timestamp"]), said["nonce_str"], sent.text)
    prove("request", rsa_verify(text, said["signature"], public), name)
    prove("request tampered", not rsa_verify(flip(text, at=2), said["signature"], public), name)
done()
