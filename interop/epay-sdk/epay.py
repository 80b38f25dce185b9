"""A Python client of 易支付 version 1 (MD5): the simulated panel speaks it beside version 2."""

import warnings

from epay_sdk import CreateOrderRequest, EPayClient, EPayConfig, QueryOrderRequest
from epay_sdk.exceptions import EPayCallbackError, EPayRequestError, EPaySignError

from stand import Stand, done, flip, prove, reference, refused

warnings.simplefilter("ignore")  # it would rather have https
stand = Stand()


def client(pid, key):
    return EPayClient(EPayConfig(pid=pid, key=key, base_url=stand.url, environment="sandbox"))


panel = client(stand.theirs["pid"], stand.theirs["key"])
order = reference()
request = CreateOrderRequest(
    out_trade_no=order,
    name="红茶 2 盒 + 绿茶",
    money="88.88",
    notify_url=stand.notify_url,
    return_url="http://127.0.0.1/back",
    pay_type="alipay",
)
page = panel.create_order(request)
prove("create", "88.88" in page, "submit.php, and the payer's page shows the amount")
wrong = client(stand.theirs["pid"], "x" * 32)
prove("create", refused(lambda: wrong.create_order(request), EPayRequestError), "with another key it is refused")

stand.pay(order)
arrived = stand.notice()
notice = arrived.query or arrived.form
told = panel.verify_callback(notice)
prove("notice", told.out_trade_no == order and str(told.money) == "88.88", told.trade_status)
for field in [name for name in notice if name != "sign_type"]:
    other = dict(notice, **{field: flip(notice[field])})
    assert refused(lambda: panel.verify_callback(other), EPaySignError, EPayCallbackError), field
prove("notice tampered", True, f"one bit in each of {len(notice) - 1} fields")

asked = panel.parse_query_result(panel.query_order(QueryOrderRequest(out_trade_no=order)))
prove("query", asked.query_ok and asked.paid and str(asked.amount) == "88.88", asked.gateway_trade_no)

# What our adapter signs in version 1.
for name in stand.fixture_requests():
    golden = stand.fixture(name)
    all_of_it = {**golden.query, **golden.form}
    if all_of_it.get("sign_type") != "MD5" or "sign" not in all_of_it:
        continue
    ours = next(ours for ours in map(stand.settings, stand.settings_names()) if ours.get("key"))
    judge = client(all_of_it["pid"], ours["key"])
    prove("request", judge.verify_sign(all_of_it), name)
    prove("request tampered", not judge.verify_sign(dict(all_of_it, money=flip(all_of_it["money"]))), name)
done(reply="version 1 answers without signatures")
