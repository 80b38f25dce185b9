'use strict';
// The widget in Chromium against `paycore serve --sandbox`: PAYCORE has its address, PAYCORE_KEY a test key of it.
// Words name parts to run alone (methods, once, pages, reach), and channels to pay at.
const { Merchant, holds, launch, run, seen, shop } = require('./harness.cjs');
const { everyMethod } = require('./methods.cjs');
const { exactlyOnce } = require('./once.cjs');
const { ownPages } = require('./pages.cjs');
const { keyboardAndScripts } = require('./reach.cjs');

// What expires comes last: it moves the clock of the whole sandbox.
const PARTS = { methods: everyMethod, reach: keyboardAndScripts, pages: ownPages, once: exactlyOnce };

async function main() {
  const [parts, words] = [[], []];
  for (const word of process.argv.slice(2)) (word in PARTS ? parts : words).push(word);
  const merchant = new Merchant();
  const store = await shop(merchant.address);
  const browser = await launch();
  for (const [name, part] of Object.entries(PARTS)) {
    if (parts.length > 0 && !parts.includes(name)) continue;
    const start = Date.now();
    const before = seen.good;
    await part({ browser, merchant, store, words });
    console.log(`${name.padEnd(8)} ${seen.good - before} statements hold, ${Math.round((Date.now() - start) / 1000)} s`);
  }
  await browser.close();
  store.close();
  holds('something was looked at', seen.good > 0);
  console.log(`${seen.good} statements hold, ${seen.bad.length} do not`);
  process.exitCode = seen.bad.length > 0 ? 1 : 0;
}

run(main);
