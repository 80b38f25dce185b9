'use strict';
// How large the widget is beside other checkouts, and how soon a payer can type. PEERS is the folder of their packages.
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const { WAIT, launch, run } = require('./harness.cjs');
const { Stand } = require('./stand.cjs');

const ROUNDS = 15;
const DIST = path.join(__dirname, '../../../server/dist');
const gzip = (bytes) => zlib.gzipSync(bytes, { level: 9 }).length;

// A module and everything that it imports at once, as a browser or bundler would take it in.
function modules(file, taken = new Map()) {
  if (taken.has(file) || !fs.existsSync(file)) return taken;
  const text = fs.readFileSync(file, 'utf8');
  taken.set(file, text);
  for (const [, name] of text.matchAll(/(?:\bfrom|\bimport)\s*["'](\.[^"']+)["']/g)) modules(path.join(path.dirname(file), name), taken);
  return taken;
}

const package_ = (name, file) => path.join(process.env.PEERS, 'node_modules', name, file);
const together = (name, entry) => [...modules(package_(name, entry)).values()].join('\n');

function sizes() {
  const ours = JSON.parse(fs.readFileSync(path.join(DIST, 'integrity.json'), 'utf8')).files;
  const first = ours.filter(({ name }) => /^paycore\.(js|wasm|en\.json)$/.test(name));
  const bytes = first.reduce((sum, file) => sum + gzip(fs.readFileSync(path.join(DIST, file.name))), 0);
  const adyen = gzip(together('@adyen/adyen-web', 'auto/auto.js')) + gzip(fs.readFileSync(package_('@adyen/adyen-web', 'styles/adyen.css')));
  return [
    ['paycore: script, module, one language', bytes, 'limit 81,920, target 61,440'],
    ['@adyen/adyen-web: script with all methods, style', adyen, 'what its own `auto` takes in'],
    ['@stripe/stripe-js: the loader alone', gzip(together('@stripe/stripe-js', 'dist/index.mjs')), 'fetches the checkout itself from its maker'],
    ['@juspay-tech/hyper-js: the loader alone', gzip(together('@juspay-tech/hyper-js', 'dist/index.mjs')), 'fetches the checkout itself from its maker'],
  ];
}

async function speed() {
  const [browser, stand] = [await launch(), await Stand.open()];
  const times = [];
  let longest = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    stand.renew();
    const context = await browser.newContext();
    context.setDefaultTimeout(WAIT);
    const page = await context.newPage();
    await page.addInitScript(() => {
      window.tasks = [];
      new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((task) => task.duration))).observe({ type: 'longtask', buffered: true });
      document.addEventListener('ready', () => { window.readyAt = performance.now(); }, true);
    });
    await page.goto(stand.page('en'));
    await page.waitForFunction(() => window.readyAt !== undefined);
    await page.waitForTimeout(100);
    const [time, task] = await page.evaluate(() => {
      const script = performance.getEntriesByType('resource').find((one) => one.name.endsWith('paycore.js'));
      return [window.readyAt - script.responseEnd, Math.max(0, ...window.tasks)];
    });
    times.push(time);
    longest = Math.max(longest, task);
    await context.close();
  }
  await browser.close();
  stand.close();
  times.sort((one, other) => one - other);
  return { median: times[ROUNDS >> 1], worst: times[ROUNDS - 1], longest };
}

async function main() {
  console.log('first load, gzip -9                               bytes');
  for (const [name, bytes, note] of sizes()) console.log(`${name.padEnd(50)}${bytes.toLocaleString('en').padStart(7)}   ${note}`);
  const { median, worst, longest } = await speed();
  console.log(`ready to type after the script has come: median ${median.toFixed(0)} ms, worst of ${ROUNDS} ${worst.toFixed(0)} ms (limit 100)`);
  console.log(`longest task: ${longest === 0 ? 'none of 50 ms or more' : `${longest.toFixed(0)} ms`} (limit 50)`);
}

run(main);
