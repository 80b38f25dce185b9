// What a payment page does where scripts run: it dresses the widget, looks again by itself where there is none, and
// reports scripts that nobody expected here.
const told = (name) => document.querySelector(`meta[name="paycore-${name}"]`)?.content ?? "";
const widget = document.querySelector("paycore-checkout");

// The page in forms and links, for browsers in which the widget does not start.
function plain() {
  const address = new URL(location.href);
  address.searchParams.set("plain", "1");
  location.replace(address);
}

if (widget) {
  customElements.whenDefined("paycore-checkout").then(() => {
    widget.options = JSON.parse(widget.dataset.options);
  });
  widget.addEventListener("loaderror", (event) => {
    if (event.detail?.code === "script") plain();
  });
  widget.addEventListener("complete", () => {
    document.getElementById("receipt")?.removeAttribute("hidden");
    document.getElementById("cancel")?.setAttribute("hidden", "");
  });
  setTimeout(() => customElements.get("paycore-checkout") || plain(), 8000);
} else if (document.body.dataset.refresh) {
  look();
}

// Asks until the order has changed, then shows it; a lost network only means to ask again.
async function look() {
  const known = document.getElementById("state")?.dataset.version;
  for (let waits = Number(document.body.dataset.refresh); ; waits = Math.min(waits + 1, 10)) {
    await new Promise((resolve) => setTimeout(resolve, waits * 1000));
    try {
      const answer = await fetch(location.href, { credentials: "omit" });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (fresh.getElementById("state")?.dataset.version !== known) return location.reload();
    } catch {
      // Offline.
    }
  }
}

// The inventory of scripts that this page is made with; anything else is told, once each.
const expected = new Set(told("scripts").split(" "));
const reported = new Set();
function check(script) {
  const source = script.src ? new URL(script.src, location.href) : null;
  const own = source && source.origin === location.origin && expected.has(source.pathname);
  const what = source ? source.origin + source.pathname : "inline";
  if (own || reported.has(what) || (!source && !script.textContent)) return;
  reported.add(what);
  const body = [{ type: "paycore-script", body: { directive: "script", source: what } }];
  const headers = { "content-type": "application/reports+json" };
  fetch(told("report"), { method: "POST", headers, body: JSON.stringify(body), keepalive: true }).catch(() => {});
}
for (const script of document.scripts) check(script);
new MutationObserver((changes) => {
  for (const change of changes) {
    for (const node of change.addedNodes) if (node instanceof HTMLScriptElement) check(node);
  }
}).observe(document.documentElement, { childList: true, subtree: true });
