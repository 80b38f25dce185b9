"""The smallest shop: it makes an order with its secret key and serves index.html with the order's client secret.
最小的商店：用私密密钥下单，并在 index.html 中填入该订单的 client_secret。只用 Python 标准库。

    PAYCORE=http://127.0.0.1:8400 PAYCORE_KEY=sk_test_… python3 examples/checkout/shop.py [port]
"""

import http.server
import json
import os
import pathlib
import sys
import urllib.request
import uuid

PAYCORE = os.environ["PAYCORE"].rstrip("/")
KEY = os.environ["PAYCORE_KEY"]
PAGE = pathlib.Path(__file__).with_name("index.html").read_text(encoding="utf-8")
METHODS = os.environ.get("METHODS", "alipay.qr testpay.page testpay.card").split()


def create_order() -> dict:
    body = {"amount": 1234, "currency": "CNY", "subject": "Tea 茶叶", "methods": METHODS}
    headers = {
        "Authorization": f"Bearer {KEY}",
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid.uuid4()),
    }
    request = urllib.request.Request(f"{PAYCORE}/v1/orders", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/":
            self.send_error(404)
            return
        page = PAGE.replace("{PAYCORE}", PAYCORE).replace("{CLIENT_SECRET}", create_order()["client_secret"])
        # What a page that embeds the checkout has to allow, and nothing else.
        policy = (
            f"default-src 'none'; script-src {PAYCORE} 'wasm-unsafe-eval'; connect-src {PAYCORE}; "
            f"frame-src {PAYCORE}; img-src data:; base-uri 'none'; form-action 'self'"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(page.encode())


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8401
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Shop)
    print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
    server.serve_forever()
