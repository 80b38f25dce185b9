//! The memory of an idle server.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::Failure;
use crate::table::Row;

/// Starts the server that was built beside this program and looks at it after it came to rest.
pub fn idle(folder: &Path) -> Result<Row, Failure> {
    let program = std::env::current_exe()?.with_file_name("paycore");
    if !program.is_file() {
        return Err(format!("{} is not there: build it with the same profile", program.display()).into());
    }
    let data = tempfile::tempdir_in(folder)?;
    let mut server = Command::new(program)
        .args(["serve", "--sandbox", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    sleep(Duration::from_secs(5));
    let resident = resident(&server);
    server.kill()?;
    server.wait()?;
    let kib = resident?;
    Ok(Row {
        what: "idle server, sandbox on, resident".to_owned(),
        measured: format!("{}.{} MB", kib / 1_000, kib % 1_000 / 100),
        limit: String::new(),
        result: if kib < 40_000 { "met".to_owned() } else { "missed".to_owned() },
        target: "< 40 MB".to_owned(),
    })
}

/// Kilobytes (of 1,024 bytes) of memory in use.
fn resident(server: &Child) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Milliseconds of processor time this process has used, by the name of the thread.
pub fn processor_time() -> BTreeMap<String, u64> {
    const MILLIS_PER_TICK: u64 = 10;
    let mut used: BTreeMap<String, u64> = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let Some((head, rest)) = text.rsplit_once(')') else { continue };
        let name = head.split_once('(').map_or(head, |(_, name)| name);
        // User and system time are the 14th and 15th field; the name was the second.
        let ticks: u64 =
            rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        *used.entry(name.to_owned()).or_default() += ticks * MILLIS_PER_TICK;
    }
    used
}
