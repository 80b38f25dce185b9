"""A payer's browser without scripts: opens a payment page, chooses a method, and pays as the sandbox's payer.
没有脚本的付款人浏览器：打开收款页面、选择支付方式，并以沙箱付款人身份付款。只用 Python 标准库。

    python3 examples/checkout/pay.py https://pay.example/pay/… testpay.qr
    python3 examples/checkout/pay.py https://pay.example/l/lnk_… testpay.qr 8.88
    python3 examples/checkout/pay.py result https://pay.example/pay/…
"""

import html.parser
import sys
import urllib.error
import urllib.parse
import urllib.request


class Page(html.parser.HTMLParser):
    """The forms, links and headings of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.forms, self.links, self.titles, self.ids, self._title = [], [], [], set(), False
        self.feed(text)

    def handle_starttag(self, tag, pairs):
        given = dict(pairs)
        self.ids.add(given.get("id"))
        if tag == "form":
            self.forms.append({"action": given.get("action", ""), "fields": {}, "buttons": []})
        elif tag == "input" and self.forms:
            self.forms[-1]["fields"][given.get("name", "")] = given.get("value", "")
        elif tag == "button" and self.forms and given.get("name"):
            self.forms[-1]["buttons"].append((given["name"], given.get("value", "")))
        elif tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "h2":
            self._title = True
            self.titles.append("")

    def handle_endtag(self, tag):
        if tag == "h2":
            self._title = False

    def handle_data(self, data):
        if self._title:
            self.titles[-1] += data


class Browser:
    """Keeps the address it is at, follows redirects, and refuses a page that could leak or be framed."""

    def __init__(self):
        self.address = ""

    def open(self, address: str, form: dict | None = None) -> Page:
        self.address = urllib.parse.urljoin(self.address, address)
        body = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(self.address, body, {"Accept-Language": "en"})
        with urllib.request.urlopen(request) as answer:
            self.address = answer.url
            if "/pay/" in urllib.parse.urlsplit(answer.url).path and "/sandbox/" not in answer.url:
                policy = answer.headers["Content-Security-Policy"]
                assert "script-src 'self'" in policy and "unsafe-inline" not in policy, policy
                assert answer.headers["Referrer-Policy"] == "no-referrer"
            return Page(answer.read().decode())

    def choose(self, page: Page, method: str, amount: str) -> Page:
        for form in page.forms:
            if ("method", method) in form["buttons"]:
                typed = {"amount": amount} if "amount" in form["fields"] else {}
                return self.open(form["action"], form["fields"] | typed | {"method": method})
        raise SystemExit(f"{method} is not offered: {page.forms}")


def pay(address: str, method: str, amount: str = "") -> None:
    browser = Browser()
    page = browser.open(address)
    page = browser.choose(page, method, amount)
    home = browser.address
    if "/sandbox/" in home:  # The channel's own page.
        at = home
    else:
        at = next((link for link in page.links if "/sandbox/" in link), None)
    if at:
        payer = Browser()
        payer.open(at)
        payer.open(payer.address.rstrip("/") + "/pay", {})
    print(home)


def result(address: str) -> None:
    page = Browser().open(address)
    receipt = next((link for link in page.links if link.startswith("/receipt/")), "")
    print(page.titles[0], receipt, sep="\n")


if __name__ == "__main__":
    try:
        if sys.argv[1] == "result":
            result(sys.argv[2])
        else:
            pay(*sys.argv[1:4])
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{error.code} {error.url}: {error.read().decode()[:400]}") from None
