// What every page that takes payments watches where scripts run, by the inventory that its head brings along: scripts that
// nobody expected here, and headers that are not as the server sent them. Each is told once.
"use strict";
{
  const told = (name) => document.querySelector(`meta[name="paycore-${name}"]`)?.content ?? "";
  const reported = new Set();

  const report = (type, body) => {
    const rows = JSON.stringify([{ type, body }]);
    if (reported.has(rows)) return;
    reported.add(rows);
    const headers = { "content-type": "application/reports+json" };
    fetch(told("report"), { method: "POST", headers, body: rows, keepalive: true, credentials: "omit" }).catch(() => {});
  };

  const expected = new Set(told("scripts").split(" "));
  const check = (script) => {
    const source = script.src ? new URL(script.src, location.href) : null;
    const own = source && source.origin === location.origin && expected.has(source.pathname);
    if (own || (!source && !script.textContent)) return;
    report("paycore-script", { source: source ? source.origin + source.pathname : "inline" });
  };
  for (const script of document.scripts) check(script);
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) if (node instanceof HTMLScriptElement) check(node);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });

  // Scripts do not see the headers of their own page. What stands between here and the server changes those of a second
  // answer as it changed those of the first.
  const compare = async () => {
    const sent = JSON.parse(told("headers"));
    const asked = { method: "HEAD", cache: "no-store", credentials: "omit", redirect: "manual" };
    const answer = await fetch(location.href, asked);
    if (!answer.ok) return;
    for (const [header, value] of Object.entries(sent)) {
      const came = answer.headers.get(header);
      if (came !== value) report("paycore-header", { header, state: came === null ? "missing" : "changed" });
    }
  };
  // Offline, nothing is known.
  compare().catch(() => {});
}
