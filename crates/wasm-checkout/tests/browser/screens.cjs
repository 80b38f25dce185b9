'use strict';
// Pictures of every state of the built widget, in light, dark and Arabic, as PNG files in the folder that is named. The
// stand's clock and the page's stand still, so that the same browser and fonts make the same pictures.
const fs = require('node:fs');
const path = require('node:path');
const { WAIT, launch } = require('./harness.cjs');
const { ENDED, GOING, NOW, Stand } = require('./stand.cjs');

const LOOKS = [['light', 'en', 'default'], ['dark', 'en', 'night'], ['ar', 'ar', 'default']];
const PHONE = { viewport: { width: 390, height: 800 }, deviceScaleFactor: 1, reducedMotion: 'reduce' };

async function main() {
  const folder = path.resolve(process.argv[2] ?? '.');
  fs.mkdirSync(folder, { recursive: true });
  const [browser, stand] = [await launch(), await Stand.open()];
  const states = Object.entries({ ...GOING, ...ENDED });
  for (const [look, language, theme] of LOOKS) {
    const context = await browser.newContext(PHONE);
    context.setDefaultTimeout(WAIT);
    const page = await context.newPage();
    await page.clock.setFixedTime(NOW);
    for (const [name, change] of states) {
      stand.renew();
      stand.turn(change);
      await page.goto(stand.page(language, theme));
      const box = page.locator('paycore-checkout');
      await box.locator('.Amount').waitFor();
      await box.screenshot({ path: path.join(folder, `${name}.${look}.png`), animations: 'disabled', caret: 'hide' });
    }
    await context.close();
  }
  await browser.close();
  stand.close();
  console.log(`${states.length * LOOKS.length} pictures in ${folder}`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
