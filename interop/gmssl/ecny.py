"""The SM2 and SM3 of gmssl against the bank's gateway: it signs our requests, and judges what is answered and told."""

import base64
import hashlib
import json
import time
import urllib.request

from gmssl import sm2

from stand import Stand, done, flip, prove, reference, refused

stand = Stand()
ours = stand.ours


def private_hex(key):
    """The number itself, out of bare hexadecimal or a PKCS#8 structure."""
    if len(key) == 64:
        return key
    der = base64.b64decode(key)
    at = der.index(b"\x04\x20") + 2
    return der[at : at + 32].hex()


def public_hex(key):
    """Both coordinates: the end of a SubjectPublicKeyInfo."""
    return base64.b64decode(key)[-64:].hex()


def public_of_private(number):
    """The point that belongs to a private number."""
    crypt = sm2.CryptSM2(private_key=number, public_key="")
    return crypt._kg(int(number, 16), crypt.ecc_table["g"])


def signer(private, public):
    return sm2.CryptSM2(private_key=private, public_key=public, asn1=True)


number = private_hex(ours["private_key"])
merchant = signer(number, public_hex(stand.theirs["merchant_public_key"]))
bank = signer("", public_hex(ours["operator_public_key"]))
prove("keys", public_of_private(number) == merchant.public_key, "the point that belongs to the merchant's number")


def joined(fields):
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name != "sign").encode()


def sign(crypt, fields):
    return base64.b64encode(bytes.fromhex(crypt.sign_with_sm3(joined(fields)))).decode()


def verified(crypt, fields):
    return crypt.verify_with_sm3(base64.b64decode(fields["sign"]).hex(), joined(fields))


def post(path, content, signature=None):
    content = {"merId": ours["merchant_id"], "userId": ours["cashier_id"], **content}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    body = {"biz_content": text, "encoding": "UTF-8", "signMethod": "02", "version": "0.0.1"}
    body["sign"] = signature or sign(merchant, body)
    now = str(int(time.time()))
    head = f"appid={ours['app_id']}&secret={ours['app_secret']}&sign={body['sign']}&timestamp={now}"
    headers = {
        "content-type": "application/json",
        "appid": ours["app_id"],
        "timestamp": now,
        "apisign": hashlib.md5(head.encode()).hexdigest(),
    }
    request = urllib.request.Request(
        f"{stand.url}/polypay/v1.0/mchorders/{path}", data=json.dumps(body).encode(), headers=headers
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return json.loads(answer.read())


def create(number, signature=None):
    return post(
        "ecny/unifiedOrder",
        {
            "orderId": number,
            "notifyUrl": stand.notify_url,
            "currencyCode": "156",
            "transactionType": "TT01",
            "txnAmt": "8888",
            "terminalNo": "00000001",
            "terminalIp": "203.0.113.7",
            "goodsName": "红茶 2 盒",
            "tradePlace": "线上",
            "orderTimeExpire": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 9 * 3600)),
        },
        signature,
    )


order = reference()
created = create(order)
prove("create", created.get("respCode") == "SUCCESS", json.loads(created["biz_content"]).get("qrCode"))
prove("reply", verified(bank, created), "the gateway's signature")
prove("reply tampered", not verified(bank, dict(created, biz_content=flip(created["biz_content"]))))
forged = create(reference(), sign(merchant, {"biz_content": "something else"}))
prove("request tampered", forged.get("returnCode") != "SUCCESS" or forged.get("respCode") != "SUCCESS", "by the gateway")

stand.pay(order)
notice = stand.notice().form
told = json.loads(notice["biz_content"])
prove("notice", verified(bank, notice) and told["orderId"] == order and told["txnAmt"] == "8888", told["tradeState"])
text = notice["biz_content"]
for at in range(0, len(text.encode()), 7):
    assert not verified(bank, dict(notice, biz_content=flip(text.encode(), at=at).decode("utf-8", "replace"))), at
signature = base64.b64decode(notice["sign"])
damaged = base64.b64encode(flip(signature, at=len(signature) - 1)).decode()
assert refused(lambda: verified(bank, dict(notice, sign=damaged)))
prove("notice tampered", True, "one bit in every seventh byte of the content, and in the signature")
state = post("orderquery", {"orderId": order})
prove("query", verified(bank, state) and json.loads(state["biz_content"])["tradeState"] == "S", "after the payer paid")

# What our adapter signs.
golden = stand.settings()
ours_public = public_of_private(private_hex(golden["private_key"]))
judge = signer("", ours_public)
for name in stand.fixture_requests():
    sent = json.loads(stand.fixture(name).text)
    prove("request", verified(judge, sent), name)
    prove("request tampered", not verified(judge, dict(sent, biz_content=flip(sent["biz_content"]))), name)
done()
