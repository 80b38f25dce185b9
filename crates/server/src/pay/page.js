// What a payment page does where scripts run: it dresses the widget, and looks again by itself where there is none.
const widget = document.querySelector("paycore-checkout");

// The page in forms and links, for browsers in which the widget does not start.
function plain() {
  const plain = new URL(location.href);
  plain.searchParams.set("plain", "1");
  location.replace(plain);
}

// A wallet's code is good once: an address that is opened again, or sent to a friend, has to be the one without it.
const address = new URL(location.href);
if (address.searchParams.has("code") || address.searchParams.has("auth_code")) {
  const kept = [...address.searchParams].filter(([name]) => name === "locale" || name === "plain");
  address.search = new URLSearchParams(kept);
  history.replaceState(null, "", address);
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
      const answer = await fetch(location.href, { credentials: "omit", redirect: "manual" });
      if (answer.type === "opaqueredirect") return location.reload();
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (fresh.getElementById("state")?.dataset.version !== known) return location.reload();
    } catch {
      // Offline.
    }
  }
}
