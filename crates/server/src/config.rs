//! Settings: a TOML file, over it the environment (`PAYCORE_…`), over it the command line.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format as _, Serialized, Toml};
use paycore::secret::Secret;
use serde::{Deserialize, Serialize};

/// The prefix of variables in the environment.
pub const PREFIX: &str = "PAYCORE_";
/// The file that is read where no other is named, if it is there.
pub const FILE: &str = "paycore.toml";

/// Everything that can be set. Every key has a default, so that `paycore serve` works without a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to listen on.
    pub listen: String,
    /// Where the server is reached from outside, such as `https://pay.example`; `http://` and `listen` where
    /// empty. Channels notify this address, so that it must be right for live payments.
    pub public_url: String,
    /// Where keys and, by default, the database are kept.
    pub data_dir: PathBuf,
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`; a file in `data_dir` where empty.
    pub database_url: String,
    /// Named root keys, `name:base64` with commas between them; the first seals, all open. Where empty, the file
    /// `root.key` of `data_dir` holds them, which the first start makes.
    pub root_keys: String,
    /// Whether sandbox keys and the simulated providers work.
    pub sandbox: bool,
    /// Requests a key may send per second; 0 for no limit.
    pub rate_per_second: u32,
    /// Requests a key may send at once; 0 for no limit.
    pub rate_burst: u32,
    /// The largest body of a request, bytes.
    pub body_bytes_max: usize,
    /// The largest body of a request that brings a file, such as a bank's statement or evidence, bytes.
    pub upload_bytes_max: usize,
    /// Connections that may be open at once.
    pub connections_max: usize,
    /// Networks that webhooks may be sent to although they are not public, such as `10.1.0.0/16`.
    pub outbound_allow: Vec<String>,
    /// Whether webhooks may be sent to `http://` addresses. In the sandbox they may.
    pub outbound_http: bool,
    /// Networks in which channels may be although they are not public, such as that of a bank's own line.
    pub channel_allow: Vec<String>,
    /// Whether channels may be called at `http://` addresses, such as a gateway of one's own that speaks TLS.
    pub channel_http: bool,
    /// Whether this server runs the workers (outbox, sweep, expiry). One server of an installation has to.
    pub workers: bool,
    /// Shows `/metrics` to whoever sends it as a bearer token; where empty, only this machine may read them.
    pub metrics_key: String,
    /// What is logged, such as `info` or `paycore_server=debug,warn`.
    pub log: String,
    /// Whether the log is JSON lines rather than text.
    pub log_json: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: "127.0.0.1:8080".into(),
            public_url: String::new(),
            data_dir: "data".into(),
            database_url: String::new(),
            root_keys: String::new(),
            sandbox: false,
            rate_per_second: 1_000,
            rate_burst: 2_000,
            body_bytes_max: 64 * 1024,
            upload_bytes_max: 16 * 1024 * 1024,
            connections_max: 10_000,
            outbound_allow: Vec::new(),
            outbound_http: false,
            channel_allow: Vec::new(),
            channel_http: false,
            workers: true,
            metrics_key: String::new(),
            log: "info".into(),
            log_json: false,
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file or the environment does not read as settings.
    #[error("the settings cannot be read: {0}")]
    Read(Box<figment::Error>),
    /// The named file is not there.
    #[error("there is no file `{}`", .0.display())]
    Missing(PathBuf),
    /// A value that does not fit.
    #[error("the setting `{name}` {detail}")]
    Value {
        /// Which setting.
        name: &'static str,
        /// What it has to be.
        detail: &'static str,
    },
}

impl Config {
    /// The settings of a file (`paycore.toml` where none is named, if it exists) and of the variables of an
    /// environment that name one. Lists have commas between their parts there.
    pub fn read(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        if let Some(file) = file.filter(|file| !file.is_file()) {
            return Err(ConfigError::Missing(file.to_owned()));
        }
        let mut settings = Figment::from(Serialized::defaults(Config::default()));
        settings = settings.merge(Toml::file(file.unwrap_or(Path::new(FILE))));
        let names = names();
        for (name, value) in env {
            let Some(name) = name.strip_prefix(PREFIX).map(str::to_ascii_lowercase) else { continue };
            if names.contains(&name) {
                settings = merge(settings, &name, value);
            }
        }
        let config: Config = settings.extract().map_err(|error| ConfigError::Read(Box::new(error)))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |name, detail| Err(ConfigError::Value { name, detail });
        if !self.public_url.is_empty() {
            let url = url::Url::parse(&self.public_url);
            let plain = url.is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.has_host()
                    && url.query().is_none()
                    && url.fragment().is_none()
                    && url.username().is_empty()
            });
            if !plain || self.public_url.ends_with('/') {
                return wrong("public_url", "must look like https://pay.example, without a slash at the end");
            }
        }
        if self.body_bytes_max < 1_024 {
            return wrong("body_bytes_max", "must be at least 1024");
        }
        if self.upload_bytes_max < self.body_bytes_max {
            return wrong("upload_bytes_max", "must be at least body_bytes_max");
        }
        if self.connections_max == 0 {
            return wrong("connections_max", "must be at least 1");
        }
        Ok(())
    }

    /// Where the server is reached from outside, when it listens on this address.
    pub fn public_url(&self, listening: std::net::SocketAddr) -> String {
        if self.public_url.is_empty() { format!("http://{listening}") } else { self.public_url.clone() }
    }

    /// The address of the store.
    pub fn database_url(&self) -> String {
        if self.database_url.is_empty() {
            return format!("sqlite:{}", self.data_dir.join("paycore.db").display());
        }
        self.database_url.clone()
    }

    /// Who may read metrics from afar.
    pub fn metrics_key(&self) -> Option<Secret> {
        let key = Secret::new(self.metrics_key.clone());
        (!key.is_blank()).then_some(key)
    }

    /// The settings as text, without secrets.
    pub fn summary(&self) -> String {
        let kind = self.database_url().split(':').next().unwrap_or_default().to_owned();
        format!(
            "listen {}, data {}, database {kind}, sandbox {}",
            self.listen,
            self.data_dir.display(),
            self.sandbox
        )
    }
}

/// Variables with our prefix that name no setting: most likely misspelt.
pub fn unknown_variables(env: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
    let names = names();
    let ours = env.into_iter().filter(|(name, _)| name.starts_with(PREFIX));
    let mut unknown: Vec<String> = ours
        .map(|(name, _)| name)
        .filter(|name| !names.contains(&name[PREFIX.len()..].to_ascii_lowercase()))
        .collect();
    unknown.sort();
    unknown
}

/// The names of all settings.
fn names() -> Vec<String> {
    match serde_json::to_value(Config::default()) {
        Ok(serde_json::Value::Object(all)) => all.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

fn merge(settings: Figment, name: &str, value: String) -> Figment {
    let default = serde_json::to_value(Config::default()).unwrap_or_default();
    match &default[name] {
        serde_json::Value::Array(_) => {
            let parts: Vec<&str> = value.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
            settings.merge((name, parts))
        }
        serde_json::Value::String(_) => settings.merge((name, value)),
        _ => match value.parse::<i64>() {
            Ok(number) => settings.merge((name, number)),
            Err(_) => match value.parse::<bool>() {
                Ok(flag) => settings.merge((name, flag)),
                Err(_) => settings.merge((name, value)),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.toml");
        std::fs::write(&file, text).unwrap();
        Config::read(Some(&file), env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_environment_is_over_the_file_and_the_file_over_the_defaults() {
        let env =
            [("PAYCORE_RATE_BURST", "7"), ("PAYCORE_OUTBOUND_ALLOW", "127.0.0.0/8, ::1/128"), ("HOME", "/")];
        let config = read("listen = \"0.0.0.0:80\"\nrate_burst = 5\n", &env).unwrap();
        assert_eq!((config.listen.as_str(), config.rate_burst), ("0.0.0.0:80", 7));
        assert_eq!(config.outbound_allow, ["127.0.0.0/8", "::1/128"]);
        assert_eq!(config.body_bytes_max, 65_536);
        assert_eq!(config.database_url(), "sqlite:data/paycore.db");
    }

    #[test]
    fn a_wrong_setting_is_refused() {
        for wrong in [
            "lisen = \"0.0.0.0:80\"",
            "rate_burst = -1",
            "sandbox = \"maybe\"",
            "public_url = \"https://pay.example/\"",
            "public_url = \"pay.example\"",
            "body_bytes_max = 10",
            "upload_bytes_max = 10",
            "connections_max = 0",
        ] {
            assert!(read(wrong, &[]).is_err(), "{wrong}");
        }
        assert!(read("", &[("PAYCORE_RATE_BURST", "many")]).is_err());
        assert!(Config::read(Some(Path::new("/nowhere.toml")), []).is_err());
    }

    #[test]
    fn misspelt_variables_are_found() {
        let env = [("PAYCORE_LISTEN", "a"), ("PAYCORE_LISEN", "a"), ("PATH", "a")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(unknown_variables(env), ["PAYCORE_LISEN"]);
    }
}
