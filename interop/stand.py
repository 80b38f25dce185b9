"""What every Python script here stands on: the gateway, a receiver of notifications, the requests our adapter signed.

A script proves facts, one line each, and ends with `done()`, which fails where a fact that every client must prove
is missing. README.md lists the facts.
"""

import datetime
import http.client
import http.server
import json
import os
import pathlib
import queue
import socket
import ssl
import sys
import tempfile
import threading
import traceback
import urllib.parse
import urllib.request
import uuid

#: What every client has to prove, unless `done` is told why it cannot.
REQUIRED = ["create", "reply", "notice", "notice tampered"]

_proved = []


def prove(fact, holds, detail=""):
    """One fact: named, shown, and fatal where it does not hold."""
    line = f"{fact}: {detail}" if detail else fact
    if not holds:
        print(f"  FAILED {line}", flush=True)
        sys.exit(1)
    print(f"  ok {line}", flush=True)
    _proved.append(fact)


def refused(call, *errors):
    """Whether the call refuses: by a false answer, or by one of the named errors (any, where none is named)."""
    try:
        return not call()
    except errors or (Exception,):
        return True


def done(**without):
    """Ends the script. `without` names required facts that this client cannot prove, each with the reason."""
    reasons = {name.replace("_", " "): why for name, why in without.items()}
    for fact, why in reasons.items():
        print(f"  -- no {fact}: {why}")
    missing = [fact for fact in REQUIRED if fact not in _proved and fact not in reasons]
    if missing:
        print(f"  FAILED nothing proves: {', '.join(missing)}")
        sys.exit(1)


def reference():
    """An order number nobody had before: 26 lower-case letters and digits, as paycore's own are."""
    return uuid.uuid4().hex[:26]


def flip(data, at=None, bit=1):
    """The same text or bytes with one bit of one character changed; in the middle where `at` is not given."""
    raw = bytearray(data.encode() if isinstance(data, str) else data)
    at = len(raw) // 2 if at is None else at
    raw[at] ^= bit
    return raw.decode() if isinstance(data, str) else bytes(raw)


class Message:
    """A request as it went over the wire."""

    def __init__(self, method, url, headers, body):
        parts = urllib.parse.urlsplit(url)
        self.method, self.url, self.headers, self.body = method, url, headers, body
        self.path = parts.path + (f"?{parts.query}" if parts.query else "")
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))

    @property
    def text(self):
        return self.body.decode()

    @property
    def form(self):
        """The body as a form."""
        return dict(urllib.parse.parse_qsl(self.text, keep_blank_values=True))


class Stand:
    """The gateway that the runner has started for this script's channel."""

    def __init__(self, acknowledge=b"success"):
        self.described = json.loads(pathlib.Path(os.environ["PAYCORE_GATEWAY"]).read_text())
        self.url = self.described["base_url"]
        self.ours, self.keys = self.described["ours"], self.described["keys"]
        #: The provider's own settings.
        self.theirs = self.described["theirs"]
        self.fixtures = pathlib.Path(os.environ["PAYCORE_FIXTURES"])
        #: What a proxy does to the bodies of replies; None leaves them alone.
        self.change = None
        self._arrived = queue.Queue()
        self.notify_url = self._receiver(acknowledge) + "/notify"

    def pay(self, order):
        """Pays as the payer."""
        return self.control("pay", {"reference": order})

    def control(self, what, body=None):
        """A request to the gateway's control; see `paycore simulate --help`."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/-/{what}", data=data)
        with _direct().open(request, timeout=10) as answer:
            text = answer.read()
        return text if what.startswith("statement") else json.loads(text)

    def notice(self):
        """The next notification that really arrived."""
        return self._arrived.get(timeout=15)

    def fixture(self, name):
        """A golden request of our adapter, by the name of its file without the ending."""
        head, _, body = (self.fixtures / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
        first, *lines = head.decode().splitlines()
        method, url = first.split()[:2]
        return Message(method, url, dict(line.split(": ", 1) for line in lines), body)

    def fixture_requests(self):
        """The names of all golden requests of our adapter."""
        return sorted(path.stem for path in self.fixtures.glob("request_*.http"))

    def settings_names(self):
        """The names of all settings that golden requests were made with."""
        return sorted(path.stem for path in self.fixtures.glob("ours*.json"))

    def settings(self, name="ours"):
        """The settings that the golden requests were made with."""
        return json.loads((self.fixtures / f"{name}.json").read_text())

    def proxy(self):
        """The address of a proxy that leads every host to the gateway; what comes back goes through `change`."""
        return _serve(lambda *args: _Proxy(self, *args))

    def trust(self, host):
        """The file of a certificate for `host` that the proxy shows from now on: for clients that insist on TLS."""
        return _certificate(host)

    def lead(self, host):
        """Leads what this process opens to `host` by itself to the proxy, over TLS: for clients that know no proxies."""
        certificate = _certificate(host)
        os.environ["SSL_CERT_FILE"] = certificate
        proxy = urllib.parse.urlsplit(_serve(lambda *args: _Proxy(self, *args), certificate))
        connect = socket.create_connection

        def led(address, *args, **kwargs):
            return connect((proxy.hostname, proxy.port) if address[0] == host else address, *args, **kwargs)

        socket.create_connection = led

    def _receiver(self, acknowledge):
        arrived = self._arrived

        class Receiver(_Quiet):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                arrived.put(Message(self.command, self.path, dict(self.headers.items()), body))
                self.respond(200, {}, acknowledge)

            do_POST = do_GET

        return _serve(Receiver)


def public_of(private):
    """The public half of a private key in base64 DER or PEM, as PEM."""
    from cryptography.hazmat.primitives import serialization as form

    if not private.startswith("-----"):
        private = f"-----BEGIN PRIVATE KEY-----\n{private}\n-----END PRIVATE KEY-----"
    key = form.load_pem_private_key(private.encode(), None).public_key()
    return key.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo).decode()


def _direct():
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _serve(handler, certificate=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


class _Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def respond(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Proxy(_Quiet):
    def __init__(self, stand, *args):
        self.stand = stand
        super().__init__(*args)

    def do_CONNECT(self):
        host = self.path.rpartition(":")[0]
        self.send_response_only(200)
        self.end_headers()
        self.wfile.flush()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(host))
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        onward = http.client.HTTPConnection(urllib.parse.urlsplit(self.stand.url).netloc, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        onward.request(self.command, path, body, headers)
        answer = onward.getresponse()
        content = answer.read()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
        change = self.stand.change
        self.respond(answer.status, kept, change(content) if change and content else content)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_GET


_HOP = {"connection", "content-length", "proxy-connection", "transfer-encoding"}
_certificates = {}
_making = threading.Lock()


def _certificate(host):
    """The file of a fresh certificate for `host` with its key; one per host and run."""
    with _making:
        if host not in _certificates:
            _certificates[host] = _make_certificate(host)
        return _certificates[host]


def _make_certificate(host):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    file = tempfile.NamedTemporaryFile(prefix="interop-", suffix=".pem", delete=False)
    file.write(certificate.public_bytes(form.Encoding.PEM))
    file.write(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    file.close()
    return file.name


def _fail(kind, error, trace):
    print("  FAILED with an error")
    traceback.print_exception(kind, error, trace, file=sys.stdout)


sys.excepthook = _fail
