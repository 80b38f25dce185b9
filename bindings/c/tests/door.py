"""The C door used and misused from Python by ctypes. Run by `cargo test -p paycore-ffi`."""

import base64
import concurrent.futures
import ctypes
import json
import os
import secrets
import tempfile
import threading
import time
import unittest

LIBRARY = ctypes.CDLL(os.environ["PAYCORE_LIBRARY"])
LIBRARY.paycore_abi.restype = ctypes.c_uint32
LIBRARY.paycore_open.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
LIBRARY.paycore_open.restype = ctypes.c_uint64
LIBRARY.paycore_call.argtypes = [ctypes.c_uint64, ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_size_t)]
LIBRARY.paycore_call.restype = ctypes.c_void_p
LIBRARY.paycore_free.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
LIBRARY.paycore_free.restype = ctypes.c_int32
LIBRARY.paycore_close.argtypes = [ctypes.c_uint64]
LIBRARY.paycore_close.restype = ctypes.c_int32


def raw(handle, request, length=None):
    """Calls with bytes as they are and returns the JSON answer, given back properly."""
    size = ctypes.c_size_t()
    if length is None:
        length = len(request)
    start = LIBRARY.paycore_call(handle, request, length, ctypes.byref(size))
    try:
        return json.loads(ctypes.string_at(start, size.value))
    finally:
        assert LIBRARY.paycore_free(start, size.value) == 0


def call(handle, op, input=None, key=None):
    """Calls an operation and returns its answer, `ok` or `error`."""
    request = {"op": op, "input": input or {}}
    if key is not None:
        request["idempotency_key"] = key
    return raw(handle, json.dumps(request).encode())


def opened(**config):
    """Opens an engine, or returns the error."""
    text = json.dumps(config).encode()
    handle = LIBRARY.paycore_open(text, len(text))
    return handle if handle else raw(0, b"{}")["error"]


TEA = {"amount": 1234, "currency": "CNY", "subject": "Tea 茶叶", "method": "alipay.qr"}


def until(condition):
    """Waits for something that happens by itself."""
    for _ in range(100):
        result = condition()
        if result:
            return result
        time.sleep(0.1)
    raise AssertionError("it did not happen within ten seconds")


def accepted(answer):
    """Whether a gateway would take this answer to its notification for an acknowledgement."""
    if answer["status"] >= 300:
        return False
    try:
        return json.loads(answer["body"]).get("respCode") != "FAIL"
    except ValueError:
        return True


class Door(unittest.TestCase):
    def setUp(self):
        self.handle = opened()
        self.assertIsInstance(self.handle, int)

    def tearDown(self):
        LIBRARY.paycore_close(self.handle)

    def ok(self, op, input=None, key=None, handle=None):
        answer = call(handle or self.handle, op, input, key)
        self.assertIn("ok", answer, answer)
        return answer["ok"]

    def refused(self, code, answer):
        self.assertEqual(answer.get("error", answer).get("code"), code, answer)
        error = answer.get("error", answer)
        self.assertEqual(error["type"], "urn:paycore:error:" + code)
        self.assertTrue(error["title"] and error["detail"] and error["status"] >= 400)
        return error

    def pay(self, order, handle=None):
        url = order["next_action"]["content"] + "/pay"
        page = self.ok("http.receive", {"method": "POST", "url": url}, handle=handle)
        self.assertEqual(page["status"], 200)
        paid = lambda: self.ok("orders.retrieve", {"id": order["id"]}, handle=handle)["status"] == "succeeded"
        until(paid)

    def test_an_order_is_paid_and_refunded_and_the_books_are_right(self):
        self.assertEqual(LIBRARY.paycore_abi(), 1)
        order = self.ok("orders.create", TEA, "order-1")
        self.assertEqual((order["status"], order["subject"]), ("pending", "Tea 茶叶"))
        page = self.ok("http.receive", {"method": "GET", "url": order["next_action"]["content"]})
        self.assertIn("支付", page["body"])
        self.pay(order)
        refund = self.ok("refunds.create", {"order_id": order["id"], "amount": 34}, "refund-1")
        until(lambda: self.ok("refunds.retrieve", {"id": refund["id"]})["status"] == "succeeded")
        self.assertEqual(self.ok("orders.retrieve", {"id": order["id"]})["amount_refunded"], 34)
        events = [event["type"] for event in self.ok("events.list")["data"]]
        self.assertEqual(events[:2], ["order.created", "order.succeeded"])
        report = self.ok("verify")
        self.assertTrue(report["ok"], report)

    def test_a_key_makes_one_order_however_often_it_is_used(self):
        first = call(self.handle, "orders.create", TEA, "same")
        again = call(self.handle, "orders.create", TEA, "same")
        self.assertEqual(first["ok"], again["ok"])
        self.assertEqual((first.get("replayed"), again.get("replayed")), (None, True))
        other = call(self.handle, "orders.create", dict(TEA, amount=1), "same")
        self.refused("idempotency_mismatch", other)
        self.refused("idempotency_key_missing", call(self.handle, "orders.create", TEA))

    def test_what_is_wrong_with_an_input_is_named(self):
        for amount in [0, -1, 2**53 + 1, 2**63, 2**64, 1.5, "1234", None, True]:
            error = self.refused("invalid_amount", call(self.handle, "orders.create", dict(TEA, amount=amount), "a"))
            self.assertEqual(error["param"], "amount")
        self.refused("unknown_parameter", call(self.handle, "orders.create", dict(TEA, colour="green"), "a"))
        self.refused("not_found", call(self.handle, "orders.retrieve", {"id": "ord_01jd7xk3fz5v9b8m2q4r6t8w0y"}))
        self.refused("not_found", call(self.handle, "orders.destroy"))
        self.refused("forbidden", call(self.handle, "merchants.create", {"name": "x"}, "a"))

    def test_calls_that_are_no_calls_are_answered(self):
        for request in [
            b"",
            b"{",
            b"[]",
            b"null",
            b'{"input":{}}',
            b'{"op":1}',
            b'{"op":"orders.list","else":1}',
            b'{"op":"orders\x00.list"}',
            b'{"op":"orders.list"}\x00',
            b'{"op":"\xff\xfe"}',
            b'{"op":"orders.list","input":"\xc3\x28"}',
            b'{"op":"\\ud800"}',
            b'{"op":"orders.list","op":"orders.list"}',
            b"[" * 100_000,
        ]:
            self.refused("invalid_request", raw(self.handle, request))
        self.refused("not_found", raw(self.handle, b'{"op":"orders\\u0000.list"}'))
        self.assertIn("ok", raw(self.handle, b'{"op":"orders\\u002elist"}'))
        deep = b'{"op":"orders.create","idempotency_key":"a","input":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        self.refused("invalid_request", raw(self.handle, deep))

    def test_null_and_absurd_lengths_are_answered(self):
        self.refused("invalid_request", raw(self.handle, None, 0))
        self.refused("invalid_request", raw(self.handle, None, 100))
        self.refused("body_too_large", raw(self.handle, b"{}", 2**63))
        self.assertIsNone(LIBRARY.paycore_call(self.handle, b"{}", 2, None))
        self.assertEqual(LIBRARY.paycore_open(None, 5), 0)
        self.refused("invalid_request", raw(0, b"{}"))

    def test_a_handle_is_nothing_but_a_name(self):
        other = opened()
        self.assertEqual(LIBRARY.paycore_close(other), 0)
        self.assertEqual(LIBRARY.paycore_close(other), 1)
        for handle in [other, 12345, 2**53 + 1, 2**64 - 1, id(self)]:
            error = self.refused("invalid_request", call(handle, "orders.list"))
            self.assertEqual(error["param"], "handle")
            self.assertEqual(LIBRARY.paycore_close(handle), 1)
        self.ok("orders.list")

    def test_an_answer_is_given_back_once(self):
        size = ctypes.c_size_t()
        start = LIBRARY.paycore_call(self.handle, b'{"op":"orders.list"}', 20, ctypes.byref(size))
        self.assertEqual(LIBRARY.paycore_free(start, size.value + 1), 1)
        self.assertEqual(LIBRARY.paycore_free(start + 1, size.value), 1)
        self.assertEqual(LIBRARY.paycore_free(start, size.value), 0)
        self.assertEqual(LIBRARY.paycore_free(start, size.value), 1)
        self.assertEqual(LIBRARY.paycore_free(None, 0), 1)
        self.assertEqual(LIBRARY.paycore_free(0xDEADBEEF, 8), 1)

    def test_an_answer_outlives_the_engine_it_came_from(self):
        size = ctypes.c_size_t()
        other = opened()
        start = LIBRARY.paycore_call(other, b'{"op":"orders.list"}', 20, ctypes.byref(size))
        LIBRARY.paycore_close(other)
        self.assertEqual(json.loads(ctypes.string_at(start, size.value))["ok"]["data"], [])
        self.assertEqual(LIBRARY.paycore_free(start, size.value), 0)

    def test_a_configuration_is_read_strictly(self):
        for config, names in [
            ({"stor": "memory"}, "config.stor"),
            ({"store": "mysql://root:hunter2@h/d"}, "config.store"),
            ({"store": "sqlite:/nonexistent/folder/x.db", "root_keys": "k1:" + "A" * 43}, "config.store"),
            ({"store": "sqlite:" + tempfile.mktemp()}, "config.root_keys"),
            ({"root_keys": "k1:short"}, "config.root_keys"),
            ({"root_keys": "no name"}, "config.root_keys"),
            ({"allow": ["10.0.0.0/8", "10.0.0.1/8"]}, "config.allow[1]"),
            ({"sandbox": "yes"}, "config.sandbox"),
            ({"language": "fr"}, "config.language"),
        ]:
            error = self.refused("invalid_request", {"error": opened(**config)})
            self.assertIn(names, json.dumps(error))
            self.assertNotIn("hunter2", json.dumps(error))

    def test_titles_are_chinese_where_asked_for(self):
        other = opened(language="zh")
        self.assertEqual(call(other, "orders.destroy")["error"]["title"], "未找到")
        LIBRARY.paycore_close(other)

    def test_many_threads_use_one_engine_at_once(self):
        def one(number):
            return self.ok("orders.create", dict(TEA, out_trade_no=f"N{number}"), f"key-{number % 100}-{number}")["id"]

        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            orders = set(pool.map(one, range(200)))
        self.assertEqual(len(orders), 200)

    def test_one_key_used_by_many_threads_at_once_makes_one_order(self):
        start = threading.Barrier(16)

        def one(_):
            start.wait()
            while True:
                answer = call(self.handle, "orders.create", TEA, "raced")
                if "ok" in answer:
                    return answer["ok"]["id"]
                self.refused("idempotency_in_flight", answer)

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            self.assertEqual(len(set(pool.map(one, range(16)))), 1)

    def test_a_thousand_threads_come_and_go(self):
        results = []
        threads = [threading.Thread(target=lambda: results.append(call(self.handle, "orders.list"))) for _ in range(1000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len([answer for answer in results if "ok" in answer]), 1000)

    def test_calls_leave_nothing_behind(self):
        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        page = {"op": "orders.list", "input": {}}
        request = json.dumps(dict(page, padding="x" * 10_000)).encode(), json.dumps(page).encode()
        for _ in range(300):
            raw(self.handle, request[0]), raw(self.handle, request[1])
        before = resident()
        for _ in range(3_000):
            raw(self.handle, request[0]), raw(self.handle, request[1])
        self.assertLess(resident() - before, 4 * 1024 * 1024)

    def test_closing_under_load_ends_in_errors_and_nothing_worse(self):
        other = opened()
        seen = set()

        def keep_calling():
            while True:
                answer = call(other, "orders.list")
                if "error" in answer:
                    seen.add(answer["error"]["param"])
                    return

        threads = [threading.Thread(target=keep_calling) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        self.assertEqual(LIBRARY.paycore_close(other), 0)
        for thread in threads:
            thread.join(20)
            self.assertFalse(thread.is_alive())
        self.assertEqual(seen, {"handle"})

    def test_a_store_on_disk_is_found_again(self):
        with tempfile.TemporaryDirectory() as folder:
            key = "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()
            config = {"store": f"sqlite:{folder}/paycore.db", "root_keys": key}
            first = opened(**config)
            order = self.ok("orders.create", TEA, "order-1", handle=first)
            self.assertEqual(LIBRARY.paycore_close(first), 0)
            second = opened(**config)
            self.assertEqual(call(second, "orders.create", TEA, "order-1"), {"ok": order, "replayed": True})
            self.pay(order, handle=second)
            self.assertTrue(self.ok("verify", handle=second)["ok"])
            self.assertEqual(LIBRARY.paycore_close(second), 0)
            with open(f"{folder}/paycore.db", "rb") as file:
                self.assertNotIn(b"PRIVATE KEY", file.read())

    def test_a_live_engine_has_no_simulator_and_calls_nothing_inside(self):
        live = opened(sandbox=False)
        self.refused("no_channel", call(live, "orders.create", TEA, "a"))
        self.refused("missing_parameter", call(live, "channel_accounts.create", {"channel": "alipay"}, "b"))
        self.refused("forbidden", call(live, "sandbox.advance_clock", {"seconds": 60}, "c"))
        self.assertTrue(self.ok("merchants.me", handle=live)["livemode"])
        LIBRARY.paycore_close(live)

    def test_requests_that_are_not_the_engines_are_refused(self):
        for url in ["/", "http://example.com/", "/notify/", "/notify/x", "/sandbox/x/payer/1", "not a url"]:
            answer = call(self.handle, "http.receive", {"method": "POST", "url": url})
            self.assertIn(answer["error"]["code"], ["not_found", "invalid_request"], url)
        for account in self.ok("channel_accounts.list")["data"]:
            forged = {"method": "POST", "url": account["notify_url"], "body": "out_trade_no=1&sign=AAAA"}
            answer = self.ok("http.receive", forged)
            # Every gateway has its own word for "not accepted, send it again"; some of them answer 200 with it.
            self.assertFalse(accepted(answer), (account["channel"], answer))

    def test_a_fork_is_noticed(self):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            answer = call(self.handle, "orders.list")
            closed = LIBRARY.paycore_close(self.handle)
            fresh = opened()
            result = [answer["error"]["code"], closed, "ok" in call(fresh, "orders.list")]
            os.write(writing, json.dumps(result).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            self.assertEqual(json.loads(pipe.read()), ["unavailable", 0, True])
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.ok("orders.list")


if __name__ == "__main__":
    unittest.main()
