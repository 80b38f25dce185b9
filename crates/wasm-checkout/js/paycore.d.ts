// Types of the script at /checkout/paycore.js.

export type Locale = "auto" | "zh-CN" | "zh-TW" | "en" | "ja" | "ko" | "es" | "pt-BR" | "fr" | "de" | "ar" | (string & {});

export interface Appearance {
  /** `auto` follows the payer's system. */
  theme?: "auto" | "default" | "night" | "flat";
  variables?: Partial<Record<
    | "colorPrimary" | "colorOnPrimary" | "colorText" | "colorMuted" | "colorBackground" | "colorSurface" | "colorBorder"
    | "colorDanger" | "colorSuccess" | "radius" | "spacing" | "fontFamily" | "fontSize" | "fontWeight",
    string
  >>;
  /** By part, such as `.Button` or `.Method--selected`, then by property, such as `borderColor`. */
  rules?: Record<string, Record<string, string>>;
}

export interface ElementOptions {
  /** `client_secret` of the order. */
  clientSecret?: string;
  locale?: Locale;
  appearance?: Appearance;
  /**
   * Your own words by key, such as `{pay: "Donate {amount}"}`. Your own `keep_card`, which asks whether a card may be kept, is
   * shown where `keep_card_version` says which version it is: that is kept with the card, as what the payer agreed to.
   */
  texts?: Record<string, string>;
  /** True where your page has a button of its own that calls `confirm`. */
  noButton?: boolean;
  /** What WeChat (`code`) or Alipay (`auth_code`) sent your page back with: the server learns from it who the payer is. */
  code?: string;
}

export type ActionType = "redirect" | "form" | "client" | "app";

export interface EventDetails {
  ready: Record<string, never>;
  /** `complete` beside `method`: nothing has to be typed, because the method wants nothing or a stored card is chosen. */
  change: { method?: string; complete?: boolean; empty?: boolean; brand?: string | null; error?: { field: string; code: string } | null };
  submit: { method: string };
  actionhandled: { type: ActionType };
  complete: { order_id: string; status: "succeeded" | "authorized" | "refunded" | "partially_refunded" };
  failed: { order_id: string; status: "failed" | "closed"; reason: string };
  loaderror: { code: string; message?: string };
}

export type Outcome = { [Name in "actionhandled" | "complete" | "failed" | "loaderror"]: { type: Name } & EventDetails[Name] }[
  "actionhandled" | "complete" | "failed" | "loaderror"
];

export interface PaymentElement {
  mount(place: string | Element): this;
  unmount(): this;
  destroy(): void;
  update(options: ElementOptions): this;
  focus(): this;
  on<Name extends keyof EventDetails>(name: Name, handler: (detail: EventDetails[Name]) => void): this;
  confirm(): Promise<Outcome>;
  handleNextAction(): Promise<Outcome>;
}

export interface Elements {
  create(type: "payment", options?: ElementOptions): PaymentElement;
  getElement(): PaymentElement | null;
  update(options: ElementOptions): void;
}

export interface PaycoreInstance {
  elements(options: ElementOptions & { clientSecret: string }): Elements;
  confirm(options: { elements: Elements }): Promise<Outcome>;
  handleNextAction(options: { elements: Elements }): Promise<Outcome>;
  /** An amount for people, from minor units: never shown to anybody is a result where the currency does not exist. */
  formatMoney(minor: number | bigint, currency: string): Promise<string | undefined>;
}

/** `<paycore-checkout client-secret="cs_…" locale="auto">`; it fires the events above as `CustomEvent`s. */
export interface PaycoreCheckoutElement extends HTMLElement {
  options: ElementOptions & { publishableKey?: string };
  readonly status: string | undefined;
  confirm(): Promise<Outcome>;
  handleNextAction(): Promise<Outcome>;
}

declare global {
  interface Window {
    Paycore(publishableKey: string, options?: { locale?: Locale }): PaycoreInstance;
  }
  interface HTMLElementTagNameMap {
    "paycore-checkout": PaycoreCheckoutElement;
  }
}
