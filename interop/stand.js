'use strict';
// What every Node script here stands on: the gateway, a receiver of notifications, the requests our adapter signed.
// A script hands its work to `run`, proves facts, one line each, and fails where a fact that every client must prove
// is missing. README.md lists the facts.

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const crypto = require('node:crypto');

/** What every client has to prove, unless `run` is told why it cannot. */
const REQUIRED = ['create', 'reply', 'notice', 'notice tampered'];

const proved = new Set();

/** One fact: named, shown, and fatal where it does not hold. */
function prove(fact, holds, detail = '') {
  const line = detail ? `${fact}: ${detail}` : fact;
  if (!holds) throw new Error(line);
  console.log(`  ok ${line}`);
  proved.add(fact);
}

/** Whether the call refuses: by a false answer, or by an error. */
async function refused(call) {
  try {
    return !(await call());
  } catch {
    return true;
  }
}

/** Runs a script. It answers required facts that this client cannot prove, each with the reason. */
async function run(script, options = {}) {
  try {
    const without = (await script(await Stand.open(options))) ?? {};
    for (const [fact, why] of Object.entries(without)) console.log(`  -- no ${fact}: ${why}`);
    const missing = REQUIRED.filter((fact) => !proved.has(fact) && !without[fact]);
    if (missing.length) throw new Error(`nothing proves: ${missing.join(', ')}`);
    process.exit(0);
  } catch (error) {
    console.log(`  FAILED ${error.stack ?? error}`);
    process.exit(1);
  }
}

/** An order number nobody had before: 26 lower-case letters and digits, as paycore's own are. */
const reference = () => crypto.randomBytes(13).toString('hex');

/** The same text or bytes with one bit of one character changed; in the middle where `at` is not given. */
function flip(data, at = undefined, bit = 1) {
  const raw = Buffer.from(data);
  raw[at ?? raw.length >> 1] ^= bit;
  return Buffer.isBuffer(data) ? raw : raw.toString();
}

/** A request as it went over the wire. */
class Message {
  constructor(method, url, headers, body) {
    Object.assign(this, { method, url, headers, body });
    const { pathname, search, searchParams } = new URL(url, 'http://localhost');
    this.path = pathname + search;
    this.query = Object.fromEntries(searchParams);
  }

  get text() {
    return this.body.toString();
  }

  /** The body as a form. */
  get form() {
    return Object.fromEntries(new URLSearchParams(this.text));
  }
}

/** The gateway that the runner has started for this script's channel. */
class Stand {
  static async open({ acknowledge = 'success' }) {
    const stand = new Stand();
    stand.described = JSON.parse(fs.readFileSync(process.env.PAYCORE_GATEWAY, 'utf8'));
    stand.url = stand.described.base_url;
    stand.ours = stand.described.ours;
    stand.keys = stand.described.keys;
    // The provider's own settings.
    stand.theirs = stand.described.theirs;
    stand.fixtures = process.env.PAYCORE_FIXTURES;
    stand.arrived = [];
    const receiver = await serve(async (request, response) => {
      stand.arrived.push(new Message(request.method, request.url, request.headers, await whole(request)));
      response.end(acknowledge);
    });
    stand.notifyUrl = `${receiver}/notify`;
    return stand;
  }

  /** Pays as the payer. */
  pay(order) {
    return this.control('pay', { reference: order });
  }

  /** The code of a payer inside Alipay who was asked who they are. */
  async signedIn() {
    const back = encodeURIComponent('https://shop.example/pay');
    const asked = `app_id=${this.ours.app_id}&scope=auth_base&redirect_uri=${back}&state=7`;
    const answer = await fetch(`${this.url}/oauth2/publicAppAuthorize.htm?${asked}`, { redirect: 'manual' });
    return new URL(answer.headers.get('location')).searchParams.get('auth_code');
  }

  /** A request to the gateway's control; see `paycore simulate --help`. */
  async control(what, body = undefined) {
    const sent = body && { method: 'POST', body: JSON.stringify(body) };
    const answer = await fetch(`${this.url}/-/${what}`, sent);
    if (!answer.ok) throw new Error(`/-/${what}: ${await answer.text()}`);
    return what.startsWith('statement') ? Buffer.from(await answer.arrayBuffer()) : answer.json();
  }

  /** The next notification that really arrived. */
  async notice() {
    for (let tries = 0; tries < 300; tries += 1) {
      const next = this.arrived.shift();
      if (next) return next;
      await new Promise((wake) => setTimeout(wake, 50));
    }
    throw new Error('no notification arrived');
  }

  /** A golden request of our adapter, by the name of its file without the ending. */
  fixture(name) {
    const bytes = fs.readFileSync(path.join(this.fixtures, `${name}.http`));
    const end = bytes.indexOf('\r\n\r\n');
    const [first, ...lines] = bytes.subarray(0, end).toString().split('\r\n');
    const headers = lines.map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]);
    const [method, url] = first.split(' ');
    return new Message(method, url, Object.fromEntries(headers), bytes.subarray(end + 4));
  }

  /** The names of all golden requests of our adapter. */
  fixtureRequests() {
    const names = fs.readdirSync(this.fixtures).filter((name) => /^request_.*\.http$/.test(name));
    return names.sort().map((name) => name.slice(0, -'.http'.length));
  }

  /** The settings that the golden requests were made with. */
  settings(name = 'ours') {
    return JSON.parse(fs.readFileSync(path.join(this.fixtures, `${name}.json`), 'utf8'));
  }

  /** An address that leads to the gateway and changes what comes back. */
  tampering(change) {
    return serve(async (request, response) => {
      const { host, connection, 'content-length': _, 'transfer-encoding': __, ...headers } = request.headers;
      const body = await whole(request);
      const sent = { method: request.method, headers, ...(body.length && { body }) };
      const answer = await fetch(this.url + request.url, sent);
      const kept = [...answer.headers].filter(([name]) => !['content-length', 'connection', 'transfer-encoding'].includes(name));
      response.writeHead(answer.status, Object.fromEntries(kept));
      response.end(change(Buffer.from(await answer.arrayBuffer())));
    });
  }
}

/** The public half of a private key in base64 DER or PEM, as PEM. */
function publicOf(key) {
  const pem = key.startsWith('-----') ? key : `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----`;
  return crypto.createPublicKey(pem).export({ type: 'spki', format: 'pem' });
}

/** A public key in base64 DER as PEM. */
const publicPem = (key) => (key.startsWith('-----') ? key : `-----BEGIN PUBLIC KEY-----\n${key}\n-----END PUBLIC KEY-----\n`);

async function whole(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

function serve(answer) {
  const server = http.createServer((request, response) => {
    Promise.resolve(answer(request, response)).catch((error) => response.destroy(error));
  });
  return new Promise((ready) => {
    server.listen(0, '127.0.0.1', () => ready(`http://127.0.0.1:${server.address().port}`));
  });
}

module.exports = { run, prove, refused, reference, flip, publicOf, publicPem, Message };
