"""The same client as a shop at the door of a running server: what it takes for a panel is paycore itself."""

import http.client
import json
import os
import pathlib
import re
import subprocess
import tempfile
import urllib.parse

from stand import Stand, done, flip, prove, reference, refused

from epay_sdk import EPayClient, EPayConfig, PaymentService
from epay_sdk.exceptions import EPayError
from epay_sdk.models import CreateOrderRequest

stand = Stand()  # for its receiver of notifications
program = os.environ.get("PAYCORE_PROGRAM", pathlib.Path(__file__).parents[2] / "target/debug/paycore")
folder = tempfile.TemporaryDirectory()
words = ["serve", "--sandbox", "--listen", "127.0.0.1:0", "--data-dir", folder.name, "--outbound-allow", "127.0.0.0/8"]
server = subprocess.Popen([program, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
said = ""
while not re.search(r"^curl ", said, re.M):
    line = server.stdout.readline()
    assert line, "the server did not start"
    said += line
base = re.search(r"(http://\S+)/v1", said).group(1)
test_key = re.search(r"sk_test_\S+", said).group(0)


def call(method, path, body=None, headers=None):
    """One request, no redirects followed."""
    parts = urllib.parse.urlsplit(path if path.startswith("http") else base + path)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request(method, target, body, headers or {})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read().decode()


def api(path, body):
    headers = {
        "authorization": f"Bearer {test_key}",
        "content-type": "application/json",
        "idempotency-key": reference(),
    }
    status, _, text = call("POST", path, json.dumps(body), headers)
    assert status == 200, text
    return json.loads(text)


def shop(name):
    key = api("/v1/epay_keys", {"name": name, "protocol": "v1"})
    config = EPayConfig(pid=key["pid"], key=key["key"], base_url=key["gateway"], environment="sandbox")
    return EPayClient(config)


def submitted(address):
    """Where the payer's browser is led, from page to page."""
    for _ in range(5):
        status, headers, text = call("GET", address)
        if status not in (302, 303):
            return address, text
        address = headers["location"]
    raise AssertionError("round in circles")


try:
    epay, other = shop("old shop"), shop("another shop")
    service, order = PaymentService(epay), reference()
    request = {
        "order_no": order,
        "amount": "88.8",
        "subject": "红茶 2 盒 + 绿茶 100%",
        "notify_url": stand.notify_url,
        "return_url": "https://shop.example/done?order=42",
        "attach": "a b",
    }
    url = service.create_alipay_order(**request)
    page, text = submitted(url)
    prove("create", "/payer/" in page and "88.80" in text, "the payer is at the provider's page")
    cheaper = submitted(url.replace("money=88.80", "money=0.01"))[1]
    prove("create", "签名错误" in cheaper, "with another amount it is refused")
    before = service.query_order(order)
    prove("query", before.query_ok and not before.paid and before.amount == "88.80", "before the payer pays")
    status, headers, _ = call("POST", f"{page}/pay", "")
    prove("pay", status in (200, 303), f"the payer presses pay: {status}")
    notice = stand.notice().query
    result = epay.verify_callback(notice)
    fits = (result.out_trade_no, result.money, result.attach) == (order, "88.80", "a b")
    prove("notice", fits and epay.is_trade_success(notice), f"{result.money} of {result.out_trade_no}")
    for field in notice:
        for at in range(len(notice[field].encode())):
            try:
                changed = dict(notice, **{field: flip(notice[field], at=at)})
            except UnicodeDecodeError:
                continue
            if field in ("sign", "sign_type") and changed[field].lower() == notice[field].lower():
                continue
            assert refused(lambda: epay.verify_callback(changed), EPayError), field
    prove("notice tampered", True, f"one bit in every byte of {len(notice)} fields")
    prove("notice tampered", refused(lambda: other.verify_callback(notice), EPayError), "the other shop's key")
    after = service.query_order(order)
    prove("query", after.paid and after.gateway_trade_no == result.trade_no, "after the payer paid")
    brought = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(submitted_to := call("GET", call("GET", url)[1]["location"])[1]["location"]).query))
    brought.pop("order")
    prove("notice", submitted_to.startswith("https://shop.example/done?") and epay.verify_sign(brought), "by the payer's browser")
    theirs = PaymentService(other).query_order(order)
    prove("query", not theirs.query_ok and theirs.amount is None, "the other shop does not see it")
    again = service.create_alipay_order(**dict(request, amount="88.81"))
    prove("create", "订单信息不一致" in submitted(again)[1], "another amount under the same number is refused")
    raw = CreateOrderRequest(reference(), "茶", "1", stand.notify_url, "https://shop.example/", "alipay")
    prove("create", "1.00" in epay.create_order(raw), "by a form of the shop's server")
finally:
    server.terminate()
    server.wait(timeout=20)
done(reply="version 1 signs no replies", reply_tampered="version 1 signs no replies")
