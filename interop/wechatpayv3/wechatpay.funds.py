"""The Python client of WeChat Pay v3 with platform certificates, which it fetches itself: sharing with encrypted names,
transfers, combined payments and both bills."""

import gzip
import hashlib
import json
import os
from datetime import datetime, timedelta, timezone

from stand import Stand, done, flip, prove, reference, refused

stand = Stand(acknowledge=b"")
os.environ["REQUESTS_CA_BUNDLE"] = stand.trust("api.mch.weixin.qq.com")

from wechatpayv3 import WeChatPay, WeChatPayType  # noqa: E402

HOST = "https://api.mch.weixin.qq.com"
ours = stand.ours
wechat = WeChatPay(
    wechatpay_type=WeChatPayType.NATIVE,
    mchid=ours["mchid"],
    private_key=ours["private_key"],
    cert_serial_no=ours["serial_no"],
    appid=ours["appid"],
    apiv3_key=ours["apiv3_key"],
    notify_url=stand.notify_url,
    proxy={"https": stand.proxy()},
    timeout=20,
)
prove("reply", True, "it fetched the certificates and opened them")


def titled(headers):
    return {"-".join(part.capitalize() for part in name.split("-")): value for name, value in headers.items()}


def said(what, answer, status=200):
    code, text = answer
    prove(what, code == status, f"{code} {text[:120]!r}")
    return json.loads(text) if text else None


order = reference()
said("create", wechat.pay(
    description="红茶", out_trade_no=order, amount={"total": 10000}, settle_info={"profit_sharing": True}
))
stand.pay(order)
notice = stand.notice()
headers = titled(notice.headers)
transaction = wechat.callback(headers, notice.body)["resource"]["transaction_id"]
prove("notice", headers["Wechatpay-Serial"] not in ours["public_key_id"], "signed by the certificate")
for at in range(0, len(notice.body), 11):
    assert refused(lambda: wechat.callback(headers, flip(notice.text, at=at))), at
prove("notice tampered", True)

said("receiver", wechat.profitsharing_add_receiver("MERCHANT_ID", "1900000109", "PARTNER", name="某某公司"))
said("receiver", wechat.profitsharing_add_receiver("PERSONAL_OPENID", "oReceiver0nly", "STAFF", name="张三"))
number = reference()
receivers = [
    {"type": "MERCHANT_ID", "account": "1900000109", "amount": 3000, "description": "分给合作方"},
    {"type": "PERSONAL_OPENID", "account": "oReceiver0nly", "amount": 500, "description": "奖励", "name": "张三"},
]
shared = said("share", wechat.profitsharing_order(transaction, number, receivers, False))
prove("share", [row["result"] for row in shared["receivers"]] == ["SUCCESS", "SUCCESS"])
said("share query", wechat.profitsharing_order_query(transaction, number))
back = reference()
said("return", wechat.profitsharing_return(back, "1900000109", 1000, "退货", out_order_no=number))
asked = said("return query", wechat.profitsharing_return_query(number, back))
prove("return query", asked["result"] == "SUCCESS")
left = said("left", wechat.profitsharing_amount_query(transaction))
prove("left", left["unsplit_amount"] == 10000 - 60 - 3500, left["unsplit_amount"])
said("release", wechat.profitsharing_unfreeze(transaction, reference(), "完结"))
said("receiver", wechat.profitsharing_delete_receiver("PERSONAL_OPENID", "oReceiver0nly"))

bill = reference()
report = [{"info_type": "岗位类型", "info_content": "骑手"}]
moved = said("transfer", wechat.mch_transfer_bills(
    bill, "1005", "oReceiver0nly", 200000, "退押金", user_name="张三", transfer_scene_report_infos=report
))
prove("transfer", moved["state"] == "WAIT_USER_CONFIRM" and moved["package_info"], moved["state"])
stand.pay(bill)
told = stand.notice()
finished = wechat.callback(titled(told.headers), told.body)
prove("transfer notice", finished["resource"]["state"] == "SUCCESS", finished["event_type"])
prove("transfer query", said("transfer query", wechat.mch_transfer_bills_query(out_bill_no=bill))["state"] == "SUCCESS")

whole, parts = reference(), [reference(), reference()]
row = {"mchid": ours["mchid"], "attach": "part", "amount": {"total_amount": 100, "currency": "CNY"}, "description": "茶"}
said("combine", wechat.combine_pay(whole, [dict(row, out_trade_no=part) for part in parts]))
stand.pay(whole)
told = stand.notice()
states = wechat.callback(titled(told.headers), told.body)["resource"]["sub_orders"]
prove("combine notice", [part["trade_state"] for part in states] == ["SUCCESS", "SUCCESS"])
asked = said("combine query", wechat.combine_query(whole))
prove("combine query", [part["out_trade_no"] for part in asked["sub_orders"]] == parts)
said("refund", wechat.refund(
    out_refund_no=reference(), out_trade_no=parts[0], amount={"refund": 40, "total": 100, "currency": "CNY"}
))

today = (datetime.now(timezone.utc) + timedelta(hours=8)).strftime("%Y-%m-%d")
for name, ask, holds in [("trade bill", wechat.trade_bill, order), ("funds bill", wechat.fundflow_bill, bill)]:
    where = said(name, ask(today))
    code, file = wechat.download_bill(where["download_url"].replace(stand.url, HOST))
    file = file if isinstance(file, bytes) else file.encode()
    text = gzip.decompress(file) if file[:2] == b"\x1f\x8b" else file
    fits = hashlib.sha1(text).hexdigest() == where["hash_value"]
    prove(name, code == 200 and fits and holds in text.decode("utf-8-sig"), "its hash and its rows")
done()
