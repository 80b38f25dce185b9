// The cashier page. Amounts are digits in a text and whole minor units on the wire; a sale is begun once and asked after
// until its end is known, so that a lost answer never charges twice.
const TEXTS = {
  zh: {
    sandbox: "测试模式", leave: "退出", signin_title: "未登录", signin: "请在此设备上打开店主提供的收银员登录链接。",
    amount: "收款金额", pad: "数字键盘", charge: "收款", sale: "等待付款", code: "付款二维码", show: "请顾客用任意钱包扫码",
    scan: "扫描顾客付款码", take: "扣款", scan_note: "扫码枪扫描后自动提交；也可输入数字后按回车。", cancel: "取消收款 (Esc)",
    receipt: "查看收据", again: "下一笔 (Enter)", recent: "最近收款", erase: "删除", none: "暂无收款",
    open: "等待顾客扫码…", pending: "顾客已扫码，等待付款…", processing: "等待顾客确认，请勿重复收款…", closing: "正在取消…",
    succeeded: "收款成功", authorized: "已预授权", failed: "收款失败", closed: "已取消，未扣款",
    refunded: "已退款", partially_refunded: "部分退款", offline: "网络已断开，恢复后自动查询结果，请勿重复收款。",
    first: "请先输入金额并点“收款”，再扫码。", unauthenticated: "登录已失效，请重新打开登录链接。", other: "English",
  },
  en: {
    sandbox: "Test mode", leave: "Sign out", signin_title: "Not signed in",
    signin: "Open the cashier's sign-in link that the shop's owner gave you on this device.",
    amount: "Amount to take", pad: "Number pad", charge: "Charge", sale: "Waiting for the payment", code: "QR code of the payment",
    show: "The customer scans this with any wallet", scan: "Scan the customer's barcode", take: "Take payment",
    scan_note: "A scanner submits by itself; or type the digits and press Enter.", cancel: "Cancel (Esc)",
    receipt: "Show the receipt", again: "Next sale (Enter)", recent: "Last payments", erase: "Delete", none: "No payments yet",
    open: "Waiting for the customer to scan…", pending: "The customer has scanned; waiting for the payment…",
    processing: "Waiting for the customer to confirm. Do not charge again…", closing: "Cancelling…",
    succeeded: "Paid", authorized: "Amount reserved", failed: "Not paid", closed: "Cancelled, nothing was charged",
    refunded: "Refunded", partially_refunded: "Partly refunded",
    offline: "Offline. The result is looked up when the network is back; do not charge again.",
    first: "Type the amount and press Charge first, then scan.", unauthenticated: "The sign-in has ended. Open the sign-in link again.",
    other: "中文",
  },
};
const DIGITS_MAX = 9;
const GOOD = ["succeeded", "authorized"];
const BAD = ["failed", "closed", "refunded", "partially_refunded"];

const at = (id) => document.getElementById(id);
const store = localStorage;
let language = store.getItem("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
// What a key on a keyboard does is no help on a touch screen.
const touch = matchMedia("(pointer: coarse)").matches;
const say = (key) => {
  const text = TEXTS[language][key] ?? key;
  return touch ? text.replace(/ \((?:Esc|Enter)\)$/, "") : text;
};

let key = "";
let till = null;
let digits = "";
let burst = 0;
let sale = null;
let shown = "";
let audio = null;

// The key comes behind the hash, which no server sees, and leaves the address at once.
function signIn() {
  const given = /^#(ck_(?:test|live)_[\w-]+)$/.exec(location.hash)?.[1];
  const currency = new URLSearchParams(location.search).get("currency");
  if (given) store.setItem("key", given);
  if (given && currency) store.setItem("currency", currency);
  if (location.hash || location.search) history.replaceState(null, "", location.pathname);
  key = store.getItem("key") ?? "";
}

async function call(method, path, body) {
  const headers = { authorization: `Bearer ${key}`, "accept-language": language };
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(`/cashier/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const json = await answer.json();
  if (answer.ok) return json;
  if (answer.status === 401) signOut(say("unauthenticated"));
  throw Object.assign(new Error(json.detail ?? answer.statusText), { answered: true, status: answer.status });
}

function tell(text = "") {
  at("notice").textContent = text;
  at("notice").hidden = !text;
}

function show(view) {
  shown = view;
  for (const name of ["signin", "amount", "sale", "result"]) at(`view-${name}`).hidden = name !== view;
  at("recent").hidden = at("leave").hidden = view === "signin";
}

function signOut(why) {
  store.removeItem("key");
  key = "";
  sale = null;
  show("signin");
  tell(why);
}

// Digits as an amount of the currency: the last ones are its minor units.
function written(text) {
  const { exponent, currency, symbol } = till;
  const padded = text.padStart(exponent + 1, "0");
  const whole = padded.slice(0, padded.length - exponent);
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${symbol}${symbol === currency ? " " : ""}${grouped}${exponent ? "." + padded.slice(-exponent) : ""}`;
}

function draw() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = say(node.dataset.text);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", say(node.dataset.label));
  for (const node of document.querySelectorAll("[data-alt]")) node.alt = say(node.dataset.alt);
  at("language").textContent = say("other");
  if (!till) return;
  at("amount").textContent = written(digits);
  for (const node of document.querySelectorAll(".sum")) node.textContent = sale ? written(sale.digits) : "";
}

function press(what) {
  if (what === "erase") digits = digits.slice(0, -1);
  else if (what === "clear") digits = "";
  else if ((digits + what).replace(/^0+/, "").length <= DIGITS_MAX) digits = (digits + what).replace(/^0+/, "");
  at("amount").textContent = written(digits);
}

// A chord for yes and a low tone for no, made here: nothing is loaded.
function sound(good) {
  try {
    audio ??= new AudioContext();
    const notes = good ? [[660, 0], [880, 0.13], [1320, 0.26]] : [[220, 0], [165, 0.25]];
    for (const [pitch, after] of notes) {
      const [tone, volume, from] = [audio.createOscillator(), audio.createGain(), audio.currentTime + after];
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, from);
      volume.gain.exponentialRampToValueAtTime(0.25, from + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, from + 0.3);
      tone.connect(volume).connect(audio.destination);
      tone.start(from);
      tone.stop(from + 0.32);
    }
  } catch {
    // A device without sound still shows the result.
  }
}

async function charge() {
  if (!digits || at("charge").disabled) return;
  audio ??= typeof AudioContext === "undefined" ? null : new AudioContext();
  at("charge").disabled = true;
  tell();
  try {
    const begun = await call("POST", "sales", { amount: Number(digits), currency: till.currency });
    sale = { id: begun.id, digits, over: false };
    digits = "";
    at("code").src = `data:image/svg+xml;base64,${btoa(begun.code)}`;
    at("auth").value = "";
    show("sale");
    draw();
    hear(begun);
    at("auth").focus();
    watch(sale);
  } catch (error) {
    tell(error.answered ? error.message : say("offline"));
  } finally {
    at("charge").disabled = false;
  }
}

// Asks after a sale until its end is known.
async function watch(own) {
  while (sale === own && !own.over) {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    if (sale !== own || own.over) return;
    try {
      const state = await call("GET", `sales/${own.id}`);
      if (sale === own) hear(state);
    } catch (error) {
      tell(error.answered ? error.message : say("offline"));
    }
  }
}

function hear(state) {
  if (!sale || sale.over) return;
  // A scan that failed is no end: the customer may try another wallet.
  const ended = GOOD.includes(state.status) || (BAD.includes(state.status) && (sale.cancelled || state.status !== "closed"));
  if (!ended) {
    at("progress").textContent = say(state.closing ? "closing" : state.status);
    return;
  }
  if (state.status === "failed" && !sale.cancelled) {
    if (sale.failed === state.number) return;
    sale.failed = state.number;
    at("progress").textContent = say("failed");
    sound(false);
    at("auth").value = "";
    at("auth").focus();
    return;
  }
  sale.over = true;
  tell();
  const good = GOOD.includes(state.status);
  at("mark").textContent = good ? "✓" : "✕";
  at("mark").className = at("verdict").className = good ? "good" : "bad";
  at("verdict").textContent = say(state.status);
  at("why").textContent = state.number ?? "";
  at("receipt").hidden = !good || !state.receipt_url;
  if (state.receipt_url) at("receipt").href = state.receipt_url;
  show("result");
  sound(good);
  at("again").focus();
  list();
}

async function scan(event) {
  event.preventDefault();
  const own = sale;
  const code = at("auth").value.replace(/\s/g, "");
  if (!own || !code || own.scanning) return;
  own.scanning = true;
  tell();
  at("progress").textContent = say("processing");
  try {
    hear(await call("POST", `sales/${own.id}/scan`, { auth_code: code }));
  } catch (error) {
    tell(error.answered ? error.message : say("offline"));
    at("auth").select();
  } finally {
    own.scanning = false;
  }
}

async function cancel() {
  const own = sale;
  if (!own || own.over) return;
  own.cancelled = true;
  at("progress").textContent = say("closing");
  try {
    hear(await call("POST", `sales/${own.id}/cancel`, {}));
  } catch (error) {
    tell(error.answered ? error.message : say("offline"));
  }
}

function next() {
  sale = null;
  show("amount");
  draw();
  at("charge").focus();
}

async function list() {
  const rows = await call("GET", "sales").catch(() => null);
  if (!rows) return;
  const items = rows.data.map((row) => {
    const item = document.createElement("li");
    const sum = document.createElement(row.receipt_url && GOOD.includes(row.status) ? "a" : "span");
    sum.textContent = row.display;
    if (sum.href !== undefined) Object.assign(sum, { href: row.receipt_url, target: "_blank", rel: "noopener" });
    const state = document.createElement("span");
    state.textContent = say(row.status);
    state.className = GOOD.includes(row.status) ? "good" : "";
    const time = document.createElement("small");
    time.textContent = [row.time, row.brand].filter(Boolean).join(" · ");
    item.append(sum, state, time);
    return item;
  });
  at("sales").replaceChildren(...items);
  if (!items.length) at("sales").append(Object.assign(document.createElement("li"), { textContent: say("none") }));
}

function typed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (shown === "sale" && event.key === "Escape") return cancel();
  if (shown !== "amount") return;
  if (/^\d$/.test(event.key)) {
    burst++;
    press(event.key);
  } else if (event.key === "Backspace") press("erase");
  else if (event.key === "Escape" || event.key === "Delete") press("clear");
  else if (event.key === "Enter" && event.target.tagName !== "BUTTON") charge();
  else if (event.key === "Enter" && event.target.id === "charge") {
    // A scanner that reads a code before there is a sale has typed it as an amount.
    if (burst > DIGITS_MAX) {
      event.preventDefault();
      press("clear");
      tell(say("first"));
    }
  }
  if (!/^\d$/.test(event.key)) burst = 0;
}

function pad() {
  for (const name of ["1", "2", "3", "4", "5", "6", "7", "8", "9", "00", "0", "erase"]) {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.textContent = name === "erase" ? "⌫" : name;
    if (name === "erase") button.dataset.label = "erase";
    button.addEventListener("click", () => press(name));
    at("pad").append(button);
  }
}

async function start() {
  signIn();
  pad();
  at("charge").addEventListener("click", charge);
  at("scan").addEventListener("submit", scan);
  at("cancel").addEventListener("click", cancel);
  at("again").addEventListener("click", next);
  at("leave").addEventListener("click", () => signOut(""));
  at("language").addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    store.setItem("language", language);
    draw();
    if (till && key) list();
  });
  document.addEventListener("keydown", typed);
  window.addEventListener("hashchange", () => location.reload());
  draw();
  if (!key) return show("signin");
  try {
    till = await call("GET", `till?currency=${encodeURIComponent(store.getItem("currency") ?? "CNY")}`);
    at("shop").textContent = till.merchant;
    at("sandbox").hidden = till.livemode;
    next();
    list();
  } catch (error) {
    if (key) tell(error.answered ? error.message : say("offline"));
  }
}
start();
