// The API reference: draws /openapi.json and sends calls to this server. No library, nothing from elsewhere.
"use strict";

const WORDS = {
  en: {
    key: "API key (kept in this tab only)", filter: "Filter", language: "中文", parameters: "Parameters",
    body: "Body", answer: "Answer", attempt: "Try it", send: "Send", copy: "Copy curl", copied: "Copied",
    required: "required", scope: "needs the scope", money: "may move money", fresh: "New key", again: "sent",
    errors: "Error codes", failed: "The request did not reach the server.", bodyLabel: "JSON body",
  },
  zh: {
    key: "API 密钥（仅保存在本标签页）", filter: "筛选", language: "English", parameters: "参数",
    body: "请求体", answer: "应答", attempt: "在线调试", send: "发送", copy: "复制 curl", copied: "已复制",
    required: "必填", scope: "所需权限", money: "涉及资金", fresh: "换新键", again: "已发送",
    errors: "错误码", failed: "请求未能到达服务器。", bodyLabel: "JSON 请求体",
  },
};

const state = {
  document: null,
  language: localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en"),
  key: sessionStorage.getItem("key") || "",
};

const word = (name) => WORDS[state.language][name];

// An element with attributes and children; text is always text, never markup.
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

function resolve(reference) {
  return reference.slice(2).split("/").reduce((node, name) => node[name.replace(/~1/g, "/").replace(/~0/g, "~")], state.document);
}

const follow = (node) => (node && node.$ref ? { ...resolve(node.$ref), ...Object.fromEntries(Object.entries(node).filter(([k]) => k !== "$ref")) } : node);

function operations() {
  const rows = [];
  for (const [path, methods] of Object.entries(state.document.paths)) {
    for (const [method, operation] of Object.entries(methods)) rows.push({ path, method, ...operation });
  }
  const order = state.document.tags.map((tag) => tag.name);
  return rows.sort((a, b) => order.indexOf(a.tags[0]) - order.indexOf(b.tags[0]) || a.path.localeCompare(b.path) || a.method.localeCompare(b.method));
}

// What a schema is, in a few words.
function kind(schema) {
  if (!schema || schema === true) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = schema.anyOf || schema.oneOf;
  if (choices) return choices.map(kind).filter(Boolean).join(" | ");
  const type = [].concat(schema.type || []).join(" | ");
  return schema.items ? `${type} of ${kind(schema.items)}` : type;
}

function bounds(schema) {
  const facts = [];
  if (schema.minimum !== undefined) facts.push(`≥ ${schema.minimum}`);
  if (schema.maximum !== undefined) facts.push(`≤ ${schema.maximum}`);
  if (schema.minLength) facts.push(`length ≥ ${schema.minLength}`);
  if (schema.maxLength) facts.push(`length ≤ ${schema.maxLength}`);
  if (schema.maxItems) facts.push(`items ≤ ${schema.maxItems}`);
  if (schema.pattern) facts.push(schema.pattern);
  return facts.join(", ");
}

// Schemas below this one that have members of their own.
function inner(schema, seen) {
  const nodes = [schema, schema.items, schema.additionalProperties, ...(schema.anyOf || []), ...(schema.oneOf || []), ...(schema.allOf || [])];
  return nodes
    .filter((node) => node && typeof node === "object")
    .map((node) => ({ name: node.$ref, schema: follow(node) }))
    .filter(({ name, schema: node }) => !seen.includes(name) && (node.properties || (node !== schema && inner(node, seen.concat(name)).length)));
}

function schemaList(schema, seen = []) {
  const list = make("ul", { class: "schema" });
  for (const [name, raw] of Object.entries(schema.properties || {})) {
    const property = follow(raw);
    const required = (schema.required || []).includes(name);
    list.append(make("li", {},
      make("code", {}, name), " ", make("span", { class: "soft" }, kind(raw)),
      required ? make("strong", {}, ` ${word("required")}`) : undefined,
      property.description ? make("div", {}, property.description) : undefined,
      bounds(property) ? make("div", { class: "soft" }, bounds(property)) : undefined,
      ...inner(raw.$ref ? { anyOf: [raw] } : raw, seen).map((part) => nested(part, seen))));
  }
  for (const part of schema.properties ? [] : inner(schema, seen)) list.append(make("li", {}, nested(part, seen)));
  return list;
}

// Drawn when it is opened: schemas may hold each other.
function nested({ name, schema }, seen) {
  const details = make("details", {}, make("summary", {}, name ? name.split("/").pop() : "{ … }"));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(schemaList(schema, seen.concat(name)));
  });
  return details;
}

function parameterTable(parameters) {
  return make("table", {}, make("tbody", {}, ...parameters.map((parameter) => make("tr", {},
    make("td", {}, make("code", {}, parameter.name), parameter.required ? make("strong", {}, ` ${word("required")}`) : undefined),
    make("td", { class: "soft" }, parameter.in),
    make("td", {}, make("span", { class: "soft" }, kind(parameter.schema)), " ", parameter.description || "")))));
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

// The form of one operation: reads what was typed into a request.
function attempt(operation, parameters) {
  const fields = {};
  const inputs = parameters.filter((parameter) => parameter.name !== "Paycore-Version").map((parameter) => {
    const isKey = parameter.name === "Idempotency-Key";
    const value = isKey ? crypto.randomUUID() : parameter.in === "path" && parameter.example ? parameter.example : "";
    const input = make("input", { value, autocomplete: "off", spellcheck: "false" });
    fields[parameter.name] = { parameter, input };
    const renew = isKey ? make("button", { type: "button", onclick: () => { input.value = crypto.randomUUID(); } }, word("fresh")) : undefined;
    return make("label", {}, `${parameter.name} (${parameter.in})`, input, renew);
  });
  const media = operation.requestBody && operation.requestBody.content["application/json"];
  const body = media && make("textarea", { "aria-label": word("bodyLabel"), spellcheck: "false" }, JSON.stringify(media.example || {}, null, 2));
  const result = make("div", { "aria-live": "polite" });
  const request = () => {
    let path = operation.path;
    const query = new URLSearchParams();
    const headers = {};
    for (const { parameter, input } of Object.values(fields)) {
      if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value && parameter.in === "query") query.set(parameter.name, input.value);
      else if (input.value) headers[parameter.name] = input.value;
    }
    if (state.key) headers.Authorization = `Bearer ${state.key}`;
    if (body) headers["Content-Type"] = "application/json";
    const address = query.size ? `${path}?${query}` : path;
    return { address, headers, method: operation.method.toUpperCase(), body: body ? body.value : undefined };
  };
  const send = async () => {
    const { address, ...options } = request();
    try {
      const response = await fetch(address, options);
      result.replaceChildren(...shown(response, await response.text()));
    } catch {
      result.replaceChildren(make("p", { class: "bad" }, word("failed")));
    }
  };
  const copy = async (event) => {
    const { address, headers, method, body: text } = request();
    const parts = ["curl", "-X", method, quoted(location.origin + address)];
    for (const [name, value] of Object.entries(headers)) parts.push("-H", quoted(`${name}: ${value}`));
    if (text !== undefined) parts.push("-d", quoted(text));
    const line = parts.join(" ");
    result.replaceChildren(make("pre", { class: "wrap" }, line));
    await navigator.clipboard?.writeText(line).then(() => { event.target.textContent = word("copied"); }, () => {});
  };
  return make("details", {}, make("summary", {}, word("attempt")),
    make("form", { onsubmit: (event) => { event.preventDefault(); send(); } },
      make("div", { class: "fields" }, ...inputs),
      body,
      make("div", { class: "row" },
        make("button", { class: "primary", type: "submit" }, word("send")),
        make("button", { type: "button", onclick: copy }, word("copy")))),
    result);
}

function shown(response, text) {
  let pretty = text;
  try { pretty = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
  const told = ["request-id", "idempotent-replayed", "ratelimit", "retry-after"].filter((name) => response.headers.has(name));
  const headers = told.map((name) => `${name}: ${response.headers.get(name)}`).join("\n");
  return [
    make("p", { class: response.ok ? "" : "bad" }, make("strong", {}, `${response.status} ${response.statusText}`)),
    make("pre", {}, headers),
    make("pre", {}, pretty),
  ];
}

function section(operation) {
  const parameters = (operation.parameters || []).map(follow);
  const media = operation.requestBody && operation.requestBody.content["application/json"];
  const answer = operation.responses["200"].content["application/json"].schema;
  const [first, second] = state.language === "zh" ? [operation.description, operation.summary] : [operation.summary, operation.description];
  return make("section", { class: "operation", id: operation.operationId },
    make("h2", {}, operation.operationId),
    make("div", { class: "path" }, make("span", { class: `verb ${operation.method}` }, operation.method.toUpperCase()), operation.path),
    make("p", {}, first, make("br"), make("span", { class: "soft" }, second)),
    make("p", { class: "soft" }, `${word("scope")} `, make("code", {}, operation["x-scope"]),
      operation["x-moves-money"] ? make("span", { class: "money" }, ` · ${word("money")}`) : undefined),
    make("h3", {}, word("parameters")), parameterTable(parameters),
    media ? make("h3", {}, word("body")) : undefined,
    media ? schemaList(follow(media.schema)) : undefined,
    make("h3", {}, word("answer")),
    nested({ name: answer.$ref, schema: follow(answer) }, []),
    attempt(operation, parameters));
}

function navigation(rows) {
  const nav = document.getElementById("nav");
  const filter = make("input", { type: "search", "aria-label": word("filter"), placeholder: word("filter") });
  const groups = make("div");
  const draw = () => {
    const wanted = filter.value.toLowerCase();
    const list = rows.filter((row) => `${row.operationId} ${row.path} ${row.summary} ${row.description}`.toLowerCase().includes(wanted));
    const tags = [...new Set(list.map((row) => row.tags[0]))];
    groups.replaceChildren(...tags.map((tag) => make("div", {}, make("h2", {}, tag),
      make("ul", {}, ...list.filter((row) => row.tags[0] === tag).map((row) => make("li", {},
        make("a", { href: `#${row.operationId}` }, make("span", { class: `verb ${row.method}` }, row.method.toUpperCase()), row.operationId.split(".").slice(1).join("."))))))));
  };
  filter.addEventListener("input", draw);
  draw();
  const other = state.language === "zh" ? "en" : "zh";
  const toggle = make("button", { type: "button", lang: other, onclick: () => { state.language = other; localStorage.setItem("language", other); render(); } }, word("language"));
  nav.replaceChildren(make("div", { class: "row" }, toggle), filter, groups, make("p", {}, make("a", { href: "/docs/errors" }, word("errors"))));
}

function render() {
  document.documentElement.lang = state.language;
  const rows = operations();
  navigation(rows);
  const key = make("input", { type: "password", autocomplete: "off", value: state.key, placeholder: "sk_test_…" });
  key.addEventListener("input", () => { state.key = key.value.trim(); sessionStorage.setItem("key", state.key); });
  const [en, zh] = state.document.info.description.split("\n\n");
  document.getElementById("main").replaceChildren(
    make("h1", {}, `paycore API ${state.document.info.version}`),
    make("p", {}, state.language === "zh" ? zh : en),
    make("div", { class: "bar" }, make("label", {}, word("key"), key)),
    ...rows.map(section));
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

fetch("/openapi.json").then((response) => response.json()).then((openapi) => { state.document = openapi; render(); });
