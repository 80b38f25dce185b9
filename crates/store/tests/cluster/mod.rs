//! A PostgreSQL server of the tests' own: made in a temporary folder, on a random port of the loopback
//! interface, stopped when the test binary ends.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// A new, empty database on the shared server: its address.
pub async fn database(name: &str) -> String {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    let cluster = tokio::task::spawn_blocking(|| SHARED.get_or_init(|| Cluster::start(&[]))).await.unwrap();
    cluster.create(name).await;
    cluster.address(name)
}

/// A running server.
pub struct Cluster {
    folder: PathBuf,
    port: u16,
    options: String,
    owner: Owner,
    /// Stops the server when this process ends, however it ends.
    _guard: Child,
}

impl Cluster {
    /// Starts a server with these settings, such as `fsync=off`.
    pub fn start(settings: &[&str]) -> Cluster {
        let folder = tempfile::Builder::new().prefix("paycore-pg-").tempdir().unwrap().keep();
        let owner = Owner::of_this_machine();
        owner.give(&folder);
        let data = folder.join("data");
        let init = ["-D", data.to_str().unwrap(), "-U", "paycore", "-A", "trust", "-E", "UTF8", "--no-sync"];
        run(owner.command(&tool("initdb")).args(init).arg("--locale=C.UTF-8"));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut options = format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''");
        for setting in settings {
            options.push_str(&format!(" -c {setting}"));
        }
        let guard = guard(&owner, data.to_str().unwrap(), &folder);
        let cluster = Cluster { folder, port, options, owner, _guard: guard };
        cluster.launch();
        cluster
    }

    /// Ends the server as a power cut would, and starts it again.
    pub fn kill_and_restart(&self) {
        self.control(&["-m", "immediate", "stop"]);
        self.launch();
    }

    fn launch(&self) {
        self.control(&["-l", self.folder.join("log").to_str().unwrap(), "-o", &self.options, "start"]);
    }

    fn control(&self, arguments: &[&str]) {
        let data = self.folder.join("data");
        run(self.owner.command(&tool("pg_ctl")).args(["-w", "-D", data.to_str().unwrap()]).args(arguments));
    }

    /// Makes an empty database.
    pub async fn create(&self, name: &str) {
        self.execute("postgres", &format!("CREATE DATABASE {name}")).await;
    }

    /// Runs statements in a database.
    pub async fn execute(&self, database: &str, sql: &str) {
        let address = self.address(database);
        let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
        let io = tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
        drop(client);
        io.await.unwrap().unwrap();
    }

    /// The address of a database.
    pub fn address(&self, name: &str) -> String {
        format!("postgres://paycore@127.0.0.1:{}/{name}", self.port)
    }
}

/// A shell that waits for the end of its input, which comes with the end of this process, and then stops the
/// server and removes its files. Its own process group keeps an interrupt of the tests away from it.
fn guard(owner: &Owner, data: &str, folder: &Path) -> Child {
    let script = r#"read -r _; "$0" -D "$1" -m immediate stop >/dev/null 2>&1; rm -rf "$2""#;
    let mut command = owner.command("sh");
    command.args(["-c", script, &tool("pg_ctl"), data, folder.to_str().unwrap()]);
    command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Who the server runs as: this user, or `postgres` where the tests run as root, which PostgreSQL refuses.
struct Owner {
    drop_to: Option<(u32, u32)>,
}

impl Owner {
    fn of_this_machine() -> Owner {
        let id = |arguments: &[&str]| -> Option<u32> {
            let output =
                Command::new("id").args(arguments).output().ok().filter(|output| output.status.success())?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        if id(&["-u"]) != Some(0) {
            return Owner { drop_to: None };
        }
        let user = |name: &str| Some((id(&["-u", name])?, id(&["-g", name])?));
        let drop_to = user("postgres").or_else(|| user("nobody")).expect("a user that is not root");
        Owner { drop_to: Some(drop_to) }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.drop_to {
            command.uid(user).gid(group);
        }
        command.current_dir("/");
        command
    }

    fn give(&self, folder: &Path) {
        std::os::unix::fs::chown(folder, self.drop_to.map(|to| to.0), self.drop_to.map(|to| to.1)).unwrap();
    }
}

fn run(command: &mut Command) {
    // pg_ctl leaves the server behind, which must not hold on to pipes of this process.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}");
}

/// A program of PostgreSQL, from the path or from where Debian puts it.
fn tool(name: &str) -> String {
    let known = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = known.into_iter().chain(debian.map(|version| version.path().join("bin")));
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    found
        .unwrap_or_else(|| panic!("{name} of PostgreSQL is needed by the tests"))
        .to_str()
        .unwrap()
        .to_owned()
}

/// Waits until something is true.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not happen within ten seconds");
}
