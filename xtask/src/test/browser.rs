//! The checkout widget in Chromium: against a stand that makes every state there is, then against the real server and
//! its simulated channels. The scripts are in `crates/wasm-checkout/tests/browser`.

use std::path::PathBuf;
use std::time::Duration;

use super::needs::{self, ensure};
use super::served::Served;
use crate::serve::wasm;
use crate::shell::{Failure, Run, root, run};

const FOLDER: &str = "crates/wasm-checkout/tests/browser";
const PICTURES: &str = "docs/checkout";
/// A browser that waits for something that never comes is stopped.
const LIMIT: Duration = Duration::from_secs(8 * 60);

/// Builds the widget, lets the browser loose on it, and checks the books of the server afterwards.
pub fn browser() -> Result<(), Failure> {
    wasm(&[])?;
    script("walk.cjs").limit(LIMIT).run()?;
    let served = Served::start()?;
    let paid = script("all.cjs").env("PAYCORE", &served.url).env("PAYCORE_KEY", &served.test_key);
    let verdict = paid.limit(LIMIT).run();
    served.verify().and(verdict)
}

/// Takes the pictures of every state anew. They are not compared: another browser or font draws a little differently.
pub fn screenshots() -> Result<(), Failure> {
    [&needs::CHROMIUM, &needs::BROWSER_NODE].into_iter().try_for_each(ensure)?;
    wasm(&[])?;
    let served = Served::start()?;
    let taken = script("screens.cjs").args([root().join(PICTURES)]);
    taken.env("PAYCORE", &served.url).env("PAYCORE_KEY", &served.test_key).limit(LIMIT).run()
}

/// Prints how large the widget is beside other checkouts, and how soon a payer can type.
pub fn bench() -> Result<(), Failure> {
    [&needs::CHROMIUM, &needs::BROWSER_NODE, &needs::PEERS].into_iter().try_for_each(ensure)?;
    wasm(&[])?;
    script("bench.cjs").env("PEERS", root().join(needs::PEERS_FOLDER)).limit(LIMIT).run()
}

/// One of the scripts, with the packages it uses.
fn script(name: &str) -> Run {
    let packages: PathBuf = root().join(needs::BROWSER_FOLDER).join("node_modules");
    run("node", [root().join(FOLDER).join(name)]).env("NODE_PATH", packages).env("NO_PROXY", "127.0.0.1")
}
