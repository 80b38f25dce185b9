"""Huifu's own Python client. It verifies what it is answered; `BASE_URL` leads it to the gateway."""

import datetime
import hashlib
import json

from stand import Stand, done, flip, prove, public_of, reference, refused

import dg_sdk

stand = Stand()
ours = stand.ours
today = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=8)).strftime("%Y%m%d")


def configured(ours):
    dg_sdk.DGClient.mer_config = dg_sdk.MerConfig(
        ours["private_key"], ours["huifu_public_key"], ours["sys_id"], ours["product_id"]
    )


def call(path, **data):
    return dg_sdk.DGTools.request_post(path, {"huifu_id": ours["sys_id"], **data})


def begin(order, amount="88.88", **data):
    return call(
        "/v3/trade/payment/jspay",
        req_date=today,
        req_seq_id=order,
        trade_type="A_NATIVE",
        trans_amt=amount,
        goods_desc="红茶 2 盒 + 绿茶",
        notify_url=stand.notify_url,
        remark="",
        **data,
    )


configured(ours)
dg_sdk.DGClient.BASE_URL = stand.proxy()

order = reference()
begun = begin(order)
prove("create", begun["trans_stat"] == "P" and begun["qr_code"].endswith(order), begun["resp_desc"])
prove("reply", True, "its own check of the signature")
stand.change = lambda body: body.replace(b"88.88", b"88.89")
prove("reply tampered", refused(lambda: begin(reference()), RuntimeError))
stand.change = None

original = {"org_req_date": today, "org_req_seq_id": order}
state = call("/v3/trade/payment/scanpay/query", **original)
prove("query", state["trans_stat"] == "P", "before the payer pays")
stand.pay(order)
notice = stand.notice()
text, sign = notice.form["resp_data"], notice.form["sign"]
data = json.loads(text)
verified = dg_sdk.DGTools.verify_sign(data, sign)[0]
prove("notice", verified and data["req_seq_id"] == order and data["trans_stat"] == "S", data["trans_type"])


def believes(text, sign):
    try:
        return dg_sdk.DGTools.verify_sign(json.loads(text), sign)[0]
    except ValueError:
        return False


for at in range(0, len(text.encode()), 7):
    try:
        damaged = flip(text, at=at)
    except UnicodeDecodeError:
        continue
    assert not believes(damaged, sign), at
assert not believes(text, flip(sign))
prove("notice tampered", True, "one bit in every seventh byte of the data, and the signature")

# The client has two verifiers. Ours is that of the key; the other is for events of the console.
key = "0123456789abcdef0123456789abcdef"
event = hashlib.md5((text + key).encode()).hexdigest().upper()
other = dg_sdk.DGTools.verify_webhook_sign(text, event, key) and not dg_sdk.DGTools.verify_sign(data, event)[0]
prove("trap", other, "an MD5 of an event of the console is no signature of a notification")

state = call("/v3/trade/payment/scanpay/query", **original)
prove("query", state["trans_stat"] == "S" and state["trans_amt"] == "88.88", "after the payer paid")
number = reference()
given = call("/v3/trade/payment/scanpay/refund", req_date=today, req_seq_id=number, ord_amt="8.80", **original)
prove("refund", given["trans_stat"] == "S")
given = call("/v3/trade/payment/scanpay/refundquery", org_req_date=today, org_req_seq_id=number)
prove("refund", given["trans_stat"] == "S" and given["ord_amt"] == "8.80", "its query")
charged = call(
    "/v3/trade/payment/micropay",
    req_date=today,
    req_seq_id=reference(),
    trans_amt="1.00",
    goods_desc="x",
    auth_code="280123456789012345",
    risk_check_data=json.dumps({"ip_addr": "203.0.113.7"}),
)
prove("micropay", charged["trans_stat"] == "S" and charged["trade_type"] == "A_MICROPAY")
closing = reference()
begin(closing, "1.00")
closed = call(
    "/v2/trade/payment/scanpay/close",
    req_date=today,
    req_seq_id=reference(),
    org_req_date=today,
    org_req_seq_id=closing,
)
prove("close", closed["trans_stat"] == "S")

# What our adapter signs, with the client's own order of names and its verifier.
golden = stand.settings()
public = public_of(golden["private_key"])
for name in stand.fixture_requests():
    body = json.loads(stand.fixture(name).text)
    prove("request", dg_sdk.DGTools.verify_sign(body["data"], body["sign"], public)[0], name)
    changed = dict(body["data"], huifu_id="6666000000000002")
    prove("request tampered", not dg_sdk.DGTools.verify_sign(changed, body["sign"], public)[0], name)
# And what was recorded as Huifu's, by the same.
for path in sorted(stand.fixtures.glob("reply_*.http")):
    frame = json.loads(path.read_bytes().partition(b"\r\n\r\n")[2])
    if "sign" in frame:
        assert dg_sdk.DGTools.verify_sign(frame["data"], frame["sign"], golden["huifu_public_key"])[0], path.name
prove("fixtures", True, "every recorded reply")
done()
