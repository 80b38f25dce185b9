"""Walks through the first payment while the server is killed at random moments, and checks what is left of it.

    crash.py PROGRAM ROUNDS SEED

Every round has a database of its own; rounds run side by side. Each request is repeated with the same idempotency key
until it is answered, as any client should. At the end there must be one payment, the refunds that were accepted, every
event delivered with a right signature, and every invariant true.
"""

import concurrent.futures
import contextlib
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import webhooks

AMOUNT = 10_000
# A request that was cut off keeps its key for 45 seconds, and a delivery that was cut off its lease for 60.
PATIENCE = 180


class Server:
    """The server, killed and started as often as one likes; always on the same port and data."""

    def __init__(self, program, folder, dice):
        self.dice = dice
        self.kills = 0
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.command = [program, "serve", "--sandbox"]
        self.environment = dict(
            os.environ,
            PAYCORE_DATA_DIR=folder,
            PAYCORE_LISTEN=f"127.0.0.1:{self.port}",
            PAYCORE_OUTBOUND_ALLOW="127.0.0.0/8",
        )
        self.start()
        # The first start makes schema, keys and shop; it may be cut off anywhere, too.
        for _ in range(dice.randint(1, 4)):
            time.sleep(dice.uniform(0, 0.3))
            self.kill()
            self.start()
        self.wait_until_ready()
        with open(f"{folder}/sandbox.key", encoding="utf-8") as file:
            self.key = file.read().strip()

    def start(self):
        log = open(f"{self.folder}/log.txt", "a", encoding="utf-8")
        self.process = subprocess.Popen(
            self.command, env=self.environment, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
        )

    def wait_until_ready(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.send("GET", "/readyz")[0] == 200:
                    return
            if self.process.poll() is not None:
                raise AssertionError(f"the server does not start: see {self.folder}/log.txt")
            time.sleep(0.02)
        raise AssertionError("the server is not ready within 30 seconds")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kills += 1

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def send(self, method, path, body=None, headers=None, timeout=20):
        """One request as it is: status and body, or an error of the connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read().decode()

    @contextlib.contextmanager
    def trouble(self, within):
        """Kills the server at a random moment of what is done here, or at the latest right after it, and then
        perhaps again while it starts or works on. It runs again afterwards."""
        over = threading.Event()

        def kill_again_and_again():
            over.wait(self.dice.uniform(0, within))
            self.kill()
            self.start()
            for _ in range(self.dice.randint(0, 2)):
                if over.wait(self.dice.uniform(0, 0.4)):
                    return
                self.kill()
                self.start()

        killer = threading.Thread(target=kill_again_and_again)
        killer.start()
        try:
            yield
        finally:
            over.set()
            killer.join()


class Shop:
    """A client that repeats what was not answered."""

    def __init__(self, server):
        self.server = server

    def ask(self, method, path, body=None, key=None):
        """Repeats a request until it has a final answer: status and JSON."""
        headers = {"authorization": f"Bearer {self.server.key}", "content-type": "application/json"}
        if key:
            headers["idempotency-key"] = key
        text = None if body is None else json.dumps(body)
        until = time.monotonic() + PATIENCE
        last = None
        while time.monotonic() < until:
            try:
                status, answer = self.server.send(method, path, text, headers)
                last = (status, answer)
                value = json.loads(answer)
                if status < 400 or not value["retryable"]:
                    return status, value
            except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
                last = error
            time.sleep(0.1)
        raise AssertionError(f"{method} {path} has no answer after {PATIENCE} seconds: {last}")

    def ok(self, *request):
        status, value = self.ask(*request)
        assert status == 200, f"{request} answered {status}: {value}"
        return value

    def press(self, url):
        """The payer's browser, which tries again when the page does not load."""
        path = urllib.parse.urlsplit(url).path
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.server.send("POST", path)[0] < 400:
                    return
            time.sleep(0.05)
        raise AssertionError("the payer's page does not answer")

    def all(self, path):
        rows, after = [], ""
        while True:
            page = self.ok("GET", f"{path}?limit=100{after}")
            rows += page["data"]
            if not page["has_more"]:
                return rows
            name = "after" if path.endswith("events") else "starting_after"
            after = f"&{name}={page['next_cursor']}"


class Deliveries:
    """Everything that arrived at the shop's receiver."""

    def __init__(self):
        self.arrived = []
        self.receiver = webhooks.server(lambda headers, body: self.arrived.append((headers, body)))
        threading.Thread(target=self.receiver.serve_forever, daemon=True).start()

    def checked(self, secret):
        """The bodies by event id. A delivery that comes again has to be the same to the byte."""
        bodies = {}
        for headers, body in list(self.arrived):
            event = webhooks.check(secret, headers, body)
            assert bodies.setdefault(event["id"], body) == body, f"{event['id']} changed between two deliveries"
        return bodies


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.2)
    raise AssertionError(f"{what}: still not so after {PATIENCE} seconds")


def walk(server, shop, deliveries, dice):
    """The steps of run.sh with a server that keeps dying."""
    address = f"http://127.0.0.1:{deliveries.receiver.server_port}/webhooks"
    with server.trouble(0.03):
        endpoint = shop.ok("POST", "/v1/webhook_endpoints", {"url": address}, "endpoint-1")
    order = {"amount": AMOUNT, "currency": "CNY", "subject": "Tea 茶叶", "method": "alipay.qr", "out_trade_no": "N-1"}
    with server.trouble(0.03):
        order = shop.ok("POST", "/v1/orders", order, "order-1")
    # An answer from the object of a request that was cut off may come before the code is known.
    showing = lambda: (shop.ok("GET", f"/v1/orders/{order['id']}")["next_action"] or {}).get("content")
    until(showing, "the order shows its QR code")
    url = showing()
    with server.trouble(0.03):
        shop.press(f"{url}/pay")
    with server.trouble(1.0):
        until(lambda: shop.ok("GET", f"/v1/orders/{order['id']}")["status"] == "succeeded", "the order is paid")
    refund = {"order_id": order["id"], "amount": AMOUNT * 6 // 10}
    with server.trouble(0.03), concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda key: shop.ask("POST", "/v1/refunds", refund, key), ["refund-1", "refund-2"]))
    with server.trouble(0.03):
        rest = shop.ask("POST", "/v1/refunds", {"order_id": order["id"]}, "refund-3")
    refunded = lambda: shop.ok("GET", f"/v1/orders/{order['id']}")["amount_refunded"] == AMOUNT
    with server.trouble(2.0):
        until(refunded, "everything is given back")
    return endpoint["secret"], order["id"], answers, rest


def judge(server, shop, deliveries, walked):
    """What must be true whenever the server died."""
    secret, order_id, answers, rest = walked
    accepted = [value for status, value in answers if status == 200]
    refused = [value for status, value in answers if status != 200]
    assert len(accepted) == 1 and [value["code"] for value in refused] == ["refund_exceeds_capture"], answers
    assert rest[0] == 200 and rest[1]["amount"] == AMOUNT * 4 // 10, rest

    orders = shop.all("/v1/orders")
    assert [row["id"] for row in orders] == [order_id], f"one order was made, not {len(orders)}"
    assert orders[0]["amount_captured"] == AMOUNT and orders[0]["amount_refunding"] == 0, orders
    attempts = shop.ok("GET", f"/v1/orders/{order_id}/attempts")["data"]
    assert [row["status"] for row in attempts].count("succeeded") == 1, attempts
    refunds = {row["id"]: (row["amount"], row["status"]) for row in shop.all("/v1/refunds")}
    wanted = {accepted[0]["id"]: (6000, "succeeded"), rest[1]["id"]: (4000, "succeeded")}
    assert refunds == wanted, f"{refunds} instead of {wanted}"
    kinds = sorted(row["kind"] for row in shop.all("/v1/transactions"))
    assert kinds == ["payment", "refund", "refund"], kinds
    assert len(shop.ok("GET", "/v1/webhook_endpoints")["data"]) == 1

    events = {event["id"]: event for event in shop.all("/v1/events")}
    pending = lambda: [row for row in shop.all("/v1/deliveries") if row["status"] != "succeeded"]
    # Events from before the endpoint was there have nobody to go to; there are none, it was made first.
    until(lambda: set(deliveries.checked(secret)) >= set(events), "every event is delivered")
    until(lambda: not pending(), "every delivery is known to have arrived")
    bodies = deliveries.checked(secret)
    assert {name: json.loads(body) for name, body in bodies.items()} == events


def books(server):
    """The provider's own records and the invariants, read when the server has stopped."""
    with contextlib.closing(sqlite3.connect(f"file:{server.folder}/paycore.db?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT value FROM sandbox_records WHERE key LIKE 'trade/%'").fetchall()
    trades = [json.loads(value) for (value,) in rows]
    paid = [trade for trade in trades if trade["paid"]]
    assert len(paid) == 1, f"the provider took {len(paid)} payments"
    given_back = sorted(refund["fen"] for refund in paid[0]["refunds"])
    assert given_back == [4000, 6000], f"the provider gave back {given_back}"
    report = subprocess.run(
        [server.command[0], "verify", "--json"], env=server.environment, stdout=subprocess.PIPE, check=False
    )
    assert json.loads(report.stdout)["ok"] and report.returncode == 0, report.stdout.decode()


def play(program, seed):
    started = time.monotonic()
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        server, deliveries = Server(program, folder, dice), Deliveries()
        try:
            shop = Shop(server)
            walked = walk(server, shop, deliveries, dice)
            judge(server, shop, deliveries, walked)
            server.stop()
            books(server)
        except BaseException:
            with open(f"{folder}/log.txt", encoding="utf-8") as log:
                lines = [line for line in log if "paycore::request" not in line]
                print(f"-- round {seed}, end of the log\n{''.join(lines[-40:])}", file=sys.stderr)
            raise
        finally:
            server.process.kill()
            deliveries.receiver.shutdown()
    seconds = time.monotonic() - started
    return f"round {seed}: killed {server.kills} times, {len(deliveries.arrived)} deliveries, {seconds:.0f} s: right"


def main(program, rounds, seed):
    seeds = range(int(seed), int(seed) + int(rounds))
    print(f"{rounds} rounds from seed {seed}", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        games = {pool.submit(play, program, seed): seed for seed in seeds}
        for game in concurrent.futures.as_completed(games):
            try:
                print(game.result(), flush=True)
            except Exception as error:
                failed += 1
                print(f"round {games[game]}: FAILED: {error}", flush=True)
    print("OK 完成" if not failed else f"{failed} of {rounds} rounds failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
