"""Ant International's own Python client. It opens TLS connections by itself, to port 443 of any gateway it is given."""

from stand import Stand, done, flip, prove, public_of, reference, refused

stand = Stand(acknowledge=b'{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}')
HOST = "open-sea-global.alipay.com"
stand.lead(HOST)

import json  # noqa: E402

from com.alipay.ams.api.default_alipay_client import DefaultAlipayClient  # noqa: E402
from com.alipay.ams.api.exception.exception import AlipayApiException  # noqa: E402
from com.alipay.ams.api.model.amount import Amount  # noqa: E402
from com.alipay.ams.api.model.env import Env  # noqa: E402
from com.alipay.ams.api.model.order import Order  # noqa: E402
from com.alipay.ams.api.model.payment_method import PaymentMethod  # noqa: E402
from com.alipay.ams.api.model.product_code_type import ProductCodeType  # noqa: E402
from com.alipay.ams.api.model.settlement_strategy import SettlementStrategy  # noqa: E402
from com.alipay.ams.api.model.terminal_type import TerminalType  # noqa: E402
from com.alipay.ams.api.request.pay.alipay_inquiry_refund_request import AlipayInquiryRefundRequest  # noqa: E402
from com.alipay.ams.api.request.pay.alipay_pay_cancel_request import AlipayPayCancelRequest  # noqa: E402
from com.alipay.ams.api.request.pay.alipay_pay_query_request import AlipayPayQueryRequest  # noqa: E402
from com.alipay.ams.api.request.pay.alipay_pay_request import AlipayPayRequest  # noqa: E402
from com.alipay.ams.api.request.pay.alipay_refund_request import AlipayRefundRequest  # noqa: E402
from com.alipay.ams.api.tools.signature_tool import verify  # noqa: E402
from com.alipay.ams.api.tools.webhook_tool import check_signature  # noqa: E402

ours = stand.ours
antom_key = stand.keys["antom_public_key"]["pem"]
client = DefaultAlipayClient(
    f"https://{HOST}", ours["client_id"], stand.keys["private_key"]["pkcs1_pem"], antom_key
)


def amount(value):
    return Amount("HKD", value)


def execute(kind, **fields):
    request = kind()
    for name, value in fields.items():
        setattr(request, name, value)
    return json.loads(client.execute(request))


def begin(number, value="8888"):
    order, method, env, settlement = Order(), PaymentMethod(), Env(), SettlementStrategy()
    order.order_amount, order.reference_order_id = amount(value), number
    order.order_description = "红茶 2 盒 + 绿茶 100%"
    method.payment_method_type, env.terminal_type = "ALIPAY_HK", TerminalType.WEB
    settlement.settlement_currency = "USD"
    return execute(
        AlipayPayRequest,
        product_code=ProductCodeType.CASHIER_PAYMENT,
        payment_request_id=number,
        order=order,
        payment_amount=amount(value),
        payment_method=method,
        payment_redirect_url="https://shop.example/done",
        payment_notify_url=stand.notify_url,
        settlement_strategy=settlement,
        env=env,
    )


def state(number):
    return execute(AlipayPayQueryRequest, payment_request_id=number)


order = reference()
begun = begin(order)
prove("create", begun["result"]["resultCode"] == "PAYMENT_IN_PROCESS" and begun["normalUrl"], begun["normalUrl"])
prove("reply", True, "its own check of the signature")
stand.change = lambda body: body.replace(b"8888", b"8889")
prove("reply tampered", refused(lambda: begin(reference()), AlipayApiException, Exception))
stand.change = None

prove("query", state(order)["paymentStatus"] == "PROCESSING", "before the payer pays")
stand.pay(order)
notice = stand.notice()
said = {name.lower(): value for name, value in notice.headers.items()}


def believes(body, client_id=said["client-id"], time=said["request-time"], signature=said["signature"]):
    return check_signature("POST", notice.path, client_id, time, body, signature, antom_key)


news = json.loads(notice.text)
prove("notice", believes(notice.text) and news["paymentRequestId"] == order, news["notifyType"])
for at in range(0, len(notice.body), 7):
    assert refused(lambda: believes(flip(notice.text, at=at))), at
assert refused(lambda: believes(notice.text, client_id=flip(said["client-id"])))
assert refused(lambda: believes(notice.text, time=flip(said["request-time"], at=-1)))
assert refused(lambda: believes(notice.text, signature=flip(said["signature"])))
prove("notice tampered", True, "one bit in every seventh byte of the body and in each signed header")
found = state(order)
prove("query", found["paymentStatus"] == "SUCCESS" and found["paymentAmount"]["value"] == "8888", "after the payer paid")

number = reference()
given = execute(
    AlipayRefundRequest,
    payment_id=found["paymentId"],
    refund_request_id=number,
    refund_amount=amount("880"),
    refund_notify_url=stand.notify_url,
)
prove("refund", given["result"]["resultStatus"] == "S" and given["refundAmount"]["value"] == "880")
given = execute(AlipayInquiryRefundRequest, refund_request_id=number)
prove("refund", given["refundStatus"] == "SUCCESS", "its query")
notice = stand.notice()
said = {name.lower(): value for name, value in notice.headers.items()}
told = believes(notice.text, said["client-id"], said["request-time"], said["signature"])
prove("notice", told and json.loads(notice.text)["refundRequestId"] == number, "of the refund")
closing = reference()
begin(closing, "100")
closed = execute(AlipayPayCancelRequest, payment_request_id=closing)
prove("close", closed["result"]["resultStatus"] == "S" and state(closing)["paymentStatus"] == "CANCELLED")
absent = state(reference())
prove("query", absent["result"]["resultCode"] == "ORDER_NOT_EXIST", "of a payment that is not there")

# Its verifier knows no time: an old notification passes, and it is for the merchant to look at the clock.
golden, keys = stand.fixture("notice_paid"), stand.settings()
headers = golden.headers
old = check_signature(
    "POST", golden.path, headers["client-id"], headers["request-time"], golden.text, headers["signature"],
    keys["antom_public_key"],
)
prove("trap", old, "it believes the recorded notification, however old")

public = public_of(keys["private_key"])
for name in stand.fixture_requests():
    sent = stand.fixture(name)
    client_id, time = sent.headers["client-id"], sent.headers["request-time"]
    _, _, signature = sent.headers["signature"].partition("signature=")
    prove("request", verify("POST", sent.path, client_id, time, sent.text, signature, public), name)
    changed = lambda: verify("POST", sent.path, client_id, time, flip(sent.text), signature, public)  # noqa: E731
    prove("request tampered", refused(changed), name)
done()
