"""The shop's side of webhooks with Python's standard library: a receiver, and the check of a signature.

    webhooks.py listen PORT_FILE LOG_FILE         receives deliveries, one JSON line each
    webhooks.py wait LOG_FILE SECRET TYPE         waits for an event of this type, checks it, prints it
"""

import base64
import hashlib
import hmac
import http.server
import json
import sys
import time

TOLERANCE = 5 * 60


def check(secret, headers, body):
    """Checks a delivery after Standard Webhooks and returns the event, or raises ValueError.

    The signed text is `id.timestamp.body`, the key is what follows `whsec_` in base64, and the header holds one or
    more signatures `v1,BASE64` of which one has to be right.
    """
    headers = {name.lower(): value for name, value in headers.items()}
    name, stamp, signatures = (headers[f"webhook-{part}"] for part in ("id", "timestamp", "signature"))
    if abs(time.time() - int(stamp)) > TOLERANCE:
        raise ValueError("the delivery is too old or from the future")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, f"{name}.{stamp}.{body}".encode(), hashlib.sha256).digest()).decode()
    given = [part.removeprefix("v1,") for part in signatures.split() if part.startswith("v1,")]
    if not any(hmac.compare_digest(expected, signature) for signature in given):
        raise ValueError("no signature is right")
    second_opinion(secret, headers, body)
    event = json.loads(body)
    if event["id"] != name:
        raise ValueError("the header names another event")
    return event


def second_opinion(secret, headers, body):
    """The check of the reference library, where it is installed."""
    try:
        from standardwebhooks.webhooks import Webhook
    except ImportError:
        return
    Webhook(secret).verify(body, headers)


def server(deliver):
    """An HTTP server on a free port that hands each delivery to `deliver(headers, body)` and answers 200."""

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            deliver(dict(self.headers), body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)


def listen(port_file, log_file):
    def deliver(headers, body):
        with open(log_file, "a", encoding="utf-8") as log:
            log.write(json.dumps({"headers": headers, "body": body}) + "\n")

    receiver = server(deliver)
    with open(port_file, "w", encoding="utf-8") as file:
        file.write(str(receiver.server_port))
    receiver.serve_forever()


def wait(log_file, secret, kind, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with open(log_file, encoding="utf-8") as log:
                lines = [line for line in log if line.endswith("\n")]
        except FileNotFoundError:
            lines = []
        for delivery in map(json.loads, lines):
            event = check(secret, delivery["headers"], delivery["body"])
            if event["type"] == kind:
                return event
        time.sleep(0.1)
    raise SystemExit(f"no {kind} within {seconds} seconds")


if __name__ == "__main__":
    if sys.argv[1:2] == ["listen"]:
        listen(*sys.argv[2:])
    elif sys.argv[1:2] == ["wait"]:
        print(json.dumps(wait(*sys.argv[2:]), ensure_ascii=False, indent=2))
    else:
        raise SystemExit(__doc__)
