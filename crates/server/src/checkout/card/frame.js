// The card fields. Digits leave this page only for the vault of its own server; the embedding page is told brand, last
// four digits and what is wrong, and gets a token. The contract is "Card fields" in docs/reference/checkout-api.md.
"use strict";

const main = document.querySelector("main");
const { brands, min, max } = JSON.parse(main.dataset.brands);
const texts = JSON.parse(main.dataset.texts);
const parentOrigin = main.dataset.parent;
const root = document.documentElement;
const field = Object.fromEntries(["number", "expiry", "cvc"].map((name) => [name, document.getElementById(name)]));
const order = ["number", "expiry", "cvc"];
const labels = { amex: "American Express", diners: "Diners Club", discover: "Discover", jcb: "JCB", mastercard: "Mastercard", mir: "Mir", unionpay: "UnionPay", visa: "Visa" };
const variables = { colorPrimary: "--primary", colorText: "--text", colorMuted: "--muted", colorBackground: "--background", colorSurface: "--surface", colorBorder: "--border", colorDanger: "--danger", radius: "--radius", spacing: "--space", fontFamily: "--font", fontSize: "--size", fontWeight: "--weight" };

let clientSecret = null;
let lastChange = "";
let busy = false;

const tell = (message) => window.parent.postMessage({ paycore: 1, ...message }, parentOrigin);
const digits = (text) => text.replace(/\D/g, "");

// The rules of `paycore::channel::card::number`, over its own table.
const brandOf = (number) => brands.find((brand) => brand.ranges.some(([first, last]) => {
  const start = number.slice(0, first.length);
  return start.length === first.length && first <= start && start <= last;
})) ?? null;

function luhn(number) {
  let sum = 0;
  for (let at = 0; at < number.length; at += 1) {
    const digit = Number(number[number.length - 1 - at]);
    sum += at % 2 === 1 ? (digit > 4 ? 2 * digit - 9 : 2 * digit) : digit;
  }
  return sum % 10 === 0;
}

function numberProblem() {
  const typed = field.number.value.replace(/[ -]/g, "");
  if (/\D/.test(typed)) return "not_a_number";
  const brand = brandOf(typed);
  if (typed.length < (brand?.min ?? min)) return "incomplete";
  if (typed.length > (brand?.max ?? max)) return "too_long";
  return luhn(typed) ? null : "mistyped";
}

function expiry() {
  const match = /^(\d{1,2})\s*[/-]?\s*(\d{2}|\d{4})$/.exec(field.expiry.value.trim());
  if (!match) return null;
  return { month: Number(match[1]), year: Number(match[2]) + (match[2].length === 2 ? 2000 : 0) };
}

function expiryProblem() {
  const read = expiry();
  if (!read) return "incomplete";
  if (read.month < 1 || read.month > 12) return "mistyped";
  const now = new Date();
  const past = read.year < now.getFullYear() || (read.year === now.getFullYear() && read.month < now.getMonth() + 1);
  return past ? "expired" : null;
}

function cvcProblem() {
  const length = digits(field.cvc.value).length;
  const wanted = brandOf(digits(field.number.value))?.cvc;
  return (wanted ? length === wanted : length === 3 || length === 4) ? null : "incomplete";
}

const problems = { number: numberProblem, expiry: expiryProblem, cvc: cvcProblem };

// An error is shown once the payer has left the field, and goes away as soon as it is mended.
function show(name, final) {
  const problem = problems[name]();
  const shown = field[name].getAttribute("aria-invalid") === "true";
  const says = problem && (shown || (final && (field[name].value !== "" || final === "all")));
  if (says) field[name].setAttribute("aria-invalid", "true");
  else field[name].removeAttribute("aria-invalid");
  const text = says ? texts[`${name}_${problem}`] ?? texts[`${name}_incomplete`] : "";
  const place = document.getElementById(`${name}-error`);
  if (place.textContent !== text) place.textContent = text;
}

function change() {
  const number = digits(field.number.value);
  const brand = brandOf(number);
  document.getElementById("brand").textContent = brand ? labels[brand.name] ?? brand.name : "";
  field.cvc.maxLength = brand?.cvc ?? 4;
  const wrong = order.find((name) => field[name].getAttribute("aria-invalid") === "true");
  // The contract's words; a month that does not exist is a number that is mistyped.
  const error = wrong ? { field: wrong, code: problems[wrong]() } : null;
  const message = {
    type: "change",
    complete: order.every((name) => problems[name]() === null),
    empty: order.every((name) => field[name].value === ""),
    brand: brand?.name ?? null,
    error,
  };
  const text = JSON.stringify(message);
  if (text !== lastChange) {
    lastChange = text;
    tell(message);
  }
}

// Writes digits in groups and leaves the cursor behind the digit it was behind.
function rewrite(input, format) {
  const before = digits(input.value.slice(0, input.selectionStart ?? input.value.length)).length;
  const text = format(input.value);
  if (text === input.value) return;
  input.value = text;
  let at = 0;
  for (let seen = 0; at < text.length && seen < before; at += 1) if (/\d/.test(text[at])) seen += 1;
  if (at === text.length - 3 && text.endsWith(" / ")) at = text.length;
  if (document.activeElement === input) input.setSelectionRange(at, at);
}

function groups(text) {
  if (/[^\d -]/.test(text)) return text;
  const number = digits(text).slice(0, 19);
  const sizes = brandOf(number)?.name === "amex" ? [4, 6, 5] : [4, 4, 4, 4, 3];
  const parts = [];
  let at = 0;
  for (const size of sizes) {
    if (at >= number.length) break;
    parts.push(number.slice(at, at + size));
    at += size;
  }
  if (at < number.length) parts.push(number.slice(at));
  return parts.join(" ");
}

function monthAndYear(text, deleting) {
  const typed = digits(text);
  if (/^\d{1,2}\s*[/-]\s*\d{4}$/.test(text.trim())) return `${typed.slice(0, -4).padStart(2, "0")} / ${typed.slice(-2)}`;
  if (/^\d\s*[/-]/.test(text)) return `0${typed[0]} / ${typed.slice(1, 3)}`;
  if (typed.length === 1 && typed > "1") return deleting ? typed : `0${typed} / `;
  if (typed.length < 2 || (typed.length === 2 && deleting)) return typed;
  return `${typed.slice(0, 2)} / ${typed.slice(2, 4)}`;
}

for (const name of order) {
  const input = field[name];
  input.addEventListener("input", (event) => {
    const deleting = (event.inputType ?? "").startsWith("delete");
    if (name === "number") rewrite(input, groups);
    if (name === "expiry") rewrite(input, (text) => monthAndYear(text, deleting));
    if (name === "cvc") rewrite(input, (text) => digits(text).slice(0, 4));
    for (const other of order) show(other, false);
    change();
    // On to the next field once this one can take no more digits.
    const next = field[order[order.indexOf(name) + 1]];
    const full = name === "number" ? digits(input.value).length >= (brandOf(digits(input.value))?.max ?? max) : input.value.length === 7;
    const atEnd = input.selectionStart === input.value.length;
    if (next && !deleting && full && atEnd && problems[name]() === null && next.value === "" && document.activeElement === input) next.focus();
  });
  input.addEventListener("focus", () => tell({ type: "focus" }));
  input.addEventListener("blur", () => {
    show(name, true);
    change();
    tell({ type: "blur" });
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tell({ type: "escape" });
  });
}

document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  tell({ type: "submit" });
});

function focusFirst() {
  field[order.find((name) => problems[name]() !== null) ?? "number"].focus();
}

function dress(message) {
  if (message.direction === "ltr" || message.direction === "rtl") root.dir = message.direction;
  root.dataset.theme = message.dark === true ? "night" : "day";
  for (const [name, value] of Object.entries(message.variables ?? {})) {
    const property = Object.hasOwn(variables, name) ? variables[name] : null;
    const harmless = typeof value === "string" && /^[^;{}@<>\\]{1,200}$/.test(value) && !/url|image|expression|\/\*|\/\//i.test(value);
    if (property && harmless) root.style.setProperty(property, value);
  }
}

async function tokenize(id) {
  for (const name of order) show(name, "all");
  change();
  if (!order.every((name) => problems[name]() === null)) {
    focusFirst();
    return { type: "error", id, code: "incomplete" };
  }
  if (!clientSecret || busy) return { type: "error", id, code: "unavailable" };
  busy = true;
  try {
    const { month, year } = expiry();
    const card = { number: digits(field.number.value), exp_month: month, exp_year: year, cvc: digits(field.cvc.value) };
    const response = await fetch("tokens", {
      method: "POST",
      headers: { Authorization: `Bearer ${clientSecret}`, "Content-Type": "application/json" },
      body: JSON.stringify(card),
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
    });
    const answer = await response.json();
    if (!response.ok) return { type: "error", id, code: answer.code ?? "unavailable" };
    return { type: "token", id, token: answer.id, brand: answer.brand, last4: answer.last4 };
  } catch {
    return { type: "error", id, code: "unavailable" };
  } finally {
    busy = false;
  }
}

window.addEventListener("message", async (event) => {
  const message = event.data;
  if (event.origin !== parentOrigin || event.source !== window.parent || message?.paycore !== 1) return;
  if (message.type === "init" && typeof message.clientSecret === "string") {
    clientSecret = message.clientSecret;
    dress(message);
    change();
  } else if (message.type === "focus") {
    focusFirst();
  } else if (message.type === "tokenize") {
    tell(await tokenize(message.id));
  }
});

new ResizeObserver(() => tell({ type: "height", pixels: Math.ceil(main.getBoundingClientRect().height) })).observe(main);
tell({ type: "ready" });
