// The one script of a page that takes payments: it registers <paycore-checkout>, offers window.Paycore, and fetches the
// widget itself, checked against the hash that is built in. `wasm_bindgen` stands above this text in the built file.
const script = document.currentScript;
const home = new URL(script ? script.src : location.href);
const origin = home.origin;
const ready = wasm_bindgen({
  module_or_path: fetch(new URL("paycore.wasm", home), { integrity: "@INTEGRITY@", credentials: "omit" }),
});
// Whoever waits for it hears of a failure; nobody waiting is no error of its own.
ready.catch(() => {});

// The languages there are; what else a payer speaks is English here.
const LANGUAGES = ["zh-CN", "zh-TW", "en", "ja", "ko", "es", "pt-BR", "fr", "de", "ar"];
const texts = new Map();

// The first of the wanted tags that is known, by its language, and Chinese by its script or region.
function choose(locale) {
  const wanted = !locale || locale === "auto" ? navigator.languages : [locale, ...navigator.languages];
  for (const tag of wanted) {
    const [language, ...more] = tag.toLowerCase().replaceAll("_", "-").split("-");
    if (language === "zh") return more.some((part) => ["tw", "hk", "mo", "hant"].includes(part)) ? "zh-TW" : "zh-CN";
    const found = LANGUAGES.find((known) => known.split("-")[0] === language);
    if (found) return found;
  }
  return "en";
}

function load(language) {
  if (!texts.has(language)) {
    const words = fetch(new URL(`paycore.${language}.json`, home), { credentials: "omit" }).then((answer) => {
      if (!answer.ok) throw new Error(`no texts: ${answer.status}`);
      return answer.text();
    });
    words.catch(() => texts.delete(language));
    texts.set(language, words);
  }
  return texts.get(language);
}
load(choose(document.querySelector("paycore-checkout")?.getAttribute("locale")));

const OPTIONS = ["clientSecret", "publishableKey", "locale", "appearance", "texts", "noButton", "code"];
const ENDS = ["complete", "failed", "loaderror", "actionhandled"];

class Checkout extends HTMLElement {
  static observedAttributes = ["client-secret", "publishable-key", "locale", "theme", "no-button"];
  #given = {};
  #widget = null;
  #turn = 0;

  // Wishes that attributes cannot say, such as `appearance` and `texts`.
  set options(options) {
    for (const name of OPTIONS) if (options && name in options) this.#given[name] = options[name];
    this.#change();
  }
  get options() {
    const attribute = (name) => this.getAttribute(name) ?? undefined;
    const theme = attribute("theme");
    const given = this.#given;
    return {
      clientSecret: given.clientSecret ?? attribute("client-secret") ?? "",
      publishableKey: given.publishableKey ?? attribute("publishable-key") ?? "",
      language: choose(given.locale ?? attribute("locale")),
      appearance: { ...(theme ? { theme } : {}), ...given.appearance },
      texts: given.texts ?? {},
      noButton: given.noButton ?? this.hasAttribute("no-button"),
      code: given.code,
      base: origin,
    };
  }
  get status() { return this.#widget?.status(); }

  connectedCallback() { this.#start(); }
  disconnectedCallback() { this.#stop(); }
  attributeChangedCallback(name) { name === "theme" || name === "no-button" ? this.#change() : this.#restart(); }

  // Pays by the chosen method; resolves with how far that led.
  confirm() { return this.#until((widget) => widget.confirm()); }
  // Carries out the next action, such as going to the wallet.
  handleNextAction() { return this.#until((widget) => widget.handleNextAction()); }
  focus() { this.#widget?.focus(); }

  async #start() {
    const { clientSecret, language } = this.options;
    if (!this.isConnected || this.#widget || !clientSecret) return;
    const turn = ++this.#turn;
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    try {
      const [words] = await Promise.all([load(language), ready]);
      if (turn !== this.#turn) return;
      const emit = (name, detail) => this.#emit(name, JSON.parse(detail));
      this.#widget = new wasm_bindgen.Widget(root, JSON.stringify(this.options), words, emit);
    } catch (error) {
      this.#emit("loaderror", { code: "script", message: String(error) });
    }
  }
  #stop() {
    this.#turn++;
    this.#widget?.close();
    this.#widget?.free();
    this.#widget = null;
  }
  #restart() {
    if (!this.isConnected) return;
    this.#stop();
    this.#start();
  }
  #change() {
    if (this.#widget) this.#widget.update(JSON.stringify(this.options));
    else this.#start();
  }
  #emit(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true })); }
  #until(act) {
    return new Promise((resolve) => {
      const heard = (event) => {
        for (const name of ENDS) this.removeEventListener(name, heard);
        resolve({ type: event.type, ...event.detail });
      };
      for (const name of ENDS) this.addEventListener(name, heard);
      // A click on a button that waits does nothing; neither does this.
      if (this.#widget) act(this.#widget);
      else resolve({ type: "loaderror", code: "not_mounted" });
    });
  }
}

const at = (place) => {
  const found = typeof place === "string" ? document.querySelector(place) : place;
  if (!found) throw new Error(`Paycore: nothing on this page matches ${place}`);
  return found;
};

// One mounted form. Its name is not `Element`: the code above asks what is an instance of that.
class PaymentElement {
  #node = document.createElement("paycore-checkout");
  #heard = new Map();
  constructor(options) { this.#node.options = options; }
  mount(place) { at(place).replaceChildren(this.#node); return this; }
  unmount() { this.#node.remove(); return this; }
  destroy() { this.unmount(); for (const [handler, name] of this.#heard) this.#node.removeEventListener(name, handler); }
  update(options) { this.#node.options = options; return this; }
  focus() { this.#node.focus(); return this; }
  on(name, handler) {
    const listener = (event) => handler(event.detail);
    this.#heard.set(listener, name);
    this.#node.addEventListener(name, listener);
    return this;
  }
  confirm() { return this.#node.confirm(); }
  handleNextAction() { return this.#node.handleNextAction(); }
}

function Paycore(publishableKey, { locale = "auto" } = {}) {
  const mode = /^pk_(test|live)_/.exec(publishableKey ?? "")?.[1];
  if (!mode) throw new Error("Paycore: give a publishable key, such as pk_test_…; a secret key must never be in a page");
  return {
    elements(shared = {}) {
      if (!String(shared.clientSecret).startsWith(`cs_${mode}_`)) {
        throw new Error(`Paycore: clientSecret must be the client_secret of an order made with a ${mode} key, cs_${mode}_…`);
      }
      let made = null;
      return {
        create(type, options = {}) {
          if (type !== "payment") throw new Error("Paycore: the one element there is is called payment");
          return (made = new PaymentElement({ locale, ...shared, ...options, publishableKey }));
        },
        getElement: () => made,
        update(options) { made?.update(options); },
      };
    },
    confirm: ({ elements }) => elements.getElement().confirm(),
    handleNextAction: ({ elements }) => elements.getElement().handleNextAction(),
    formatMoney: (minor, currency) => ready.then(() => wasm_bindgen.formatMoney(BigInt(minor), currency)),
  };
}

// What the frame for card fields, which is the server's own page, takes from the widget.
Paycore.tools = () => ready.then(() => wasm_bindgen);
window.Paycore = Paycore;
if (!customElements.get("paycore-checkout")) customElements.define("paycore-checkout", Checkout);
