//! From settings to an engine: root keys, store, transports, channels.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::crypto::Vault;
use paycore::crypto::envelope::{EnvelopeVault, RootKeyError};
use paycore::crypto::native::NativeKeyring;
use paycore::engine::{BuildError, Engine, EngineBuilder};
use paycore::secret::Secret;
use paycore::time::Rng;
use paycore::transport::guard::{GuardPolicy, NetworkError};
use paycore::transport::reqwest::{ReqwestTransport, SetupError};
use paycore::transport::system::{SystemClock, SystemRng};
use paycore::verify::Verifiable;
use paycore_statement::Statements;
use paycore_store::OpenError;

use crate::config::Config;

/// Where root keys are kept where the settings do not hold them.
pub const ROOT_KEY_FILE: &str = "root.key";

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// A file or folder cannot be made or read.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The root keys do not read as such.
    #[error("the root keys cannot be used: {0}")]
    RootKeys(#[from] RootKeyError),
    /// The store cannot be opened.
    #[error("the database cannot be opened: {0}")]
    Store(#[from] OpenError),
    /// A network in `outbound_allow` or `channel_allow`.
    #[error("outbound_allow or channel_allow: {0}")]
    Network(#[from] NetworkError),
    /// The HTTPS client.
    #[error(transparent)]
    Transport(#[from] SetupError),
    /// The engine.
    #[error(transparent)]
    Build(#[from] BuildError),
}

impl AssembleError {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| AssembleError::File { path, error }
    }
}

/// Opens the store with its schema brought up to date.
pub async fn store(config: &Config) -> Result<Arc<dyn Verifiable>, AssembleError> {
    let address = config.database_url();
    if address.starts_with("sqlite:") {
        fs::create_dir_all(&config.data_dir).map_err(AssembleError::file(&config.data_dir))?;
    }
    paycore_store::migrate(&address).await?;
    Ok(paycore_store::open(&address).await?)
}

/// An engine over a store, reached from outside at `public_url`.
pub fn engine(
    config: &Config,
    store: Arc<dyn Verifiable>,
    public_url: &str,
) -> Result<Engine, AssembleError> {
    Ok(builder(config, store, public_url)?.build()?)
}

/// The same, still open to changes.
pub fn builder(
    config: &Config,
    store: Arc<dyn Verifiable>,
    public_url: &str,
) -> Result<EngineBuilder, AssembleError> {
    let vault = vault(config)?;
    Ok(Engine::builder()
        .store(store)
        .transport(Arc::new(ReqwestTransport::new(channel_policy(config)?)?))
        .outbound(Arc::new(ReqwestTransport::new(outbound_policy(config)?)?))
        .channels(paycore_channels::REGISTRY)
        .keyring(Arc::new(NativeKeyring))
        .vault(vault)
        .clock(Arc::new(SystemClock))
        .rng(Arc::new(SystemRng))
        .exporter(Arc::new(Statements))
        .public_url(public_url))
}

/// Where webhooks may be sent.
pub fn outbound_policy(config: &Config) -> Result<GuardPolicy, NetworkError> {
    policy(&config.outbound_allow, config.outbound_http || config.sandbox)
}

/// Where channels may be called. A merchant may set the address of a channel, so that it is guarded like a webhook's.
pub fn channel_policy(config: &Config) -> Result<GuardPolicy, NetworkError> {
    policy(&config.channel_allow, config.channel_http)
}

fn policy(allow: &[String], http: bool) -> Result<GuardPolicy, NetworkError> {
    let allow = allow.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    Ok(GuardPolicy { allow, http })
}

/// The vault over the root keys of the settings or of the key file, which is made where it is missing.
pub fn vault(config: &Config) -> Result<Arc<dyn Vault>, AssembleError> {
    let text = match config.root_keys.trim() {
        "" => key_file(&config.data_dir, &SystemRng)?,
        text => Secret::new(text),
    };
    let named: Vec<(String, Secret)> = text
        .expose()
        .split([',', '\n'])
        .filter_map(|part| part.trim().split_once(':'))
        .map(|(name, key)| (name.trim().to_owned(), Secret::new(key.trim())))
        .collect();
    let vault = EnvelopeVault::new(named.iter().map(|(name, key)| (name.as_str(), key)))?;
    Ok(Arc::new(vault))
}

fn key_file(folder: &Path, rng: &dyn Rng) -> Result<Secret, AssembleError> {
    let path = folder.join(ROOT_KEY_FILE);
    if !path.exists() {
        let mut random = [0u8; 32];
        rng.fill(&mut random);
        let text = Secret::new(format!("k1:{}\n", STANDARD.encode(random)));
        fs::create_dir_all(folder).map_err(AssembleError::file(folder))?;
        match keep_secret(&path, &text) {
            // Another server of this installation was faster: its key counts.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => done.map_err(AssembleError::file(&path))?,
        }
    }
    fs::read_to_string(&path).map(Secret::new).map_err(AssembleError::file(&path))
}

/// Writes a new file that only its owner may read; complete and durable under its name, or not there at all.
pub fn keep_secret(path: &Path, secret: &Secret) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = path.with_extension(format!("draft{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(secret.expose().as_bytes())?;
    file.sync_all()?;
    // A hard link fails where the name is taken, unlike a rename.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    linked?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &Path) -> Config {
        Config { data_dir: folder.to_owned(), ..Config::default() }
    }

    #[test]
    fn the_root_key_is_made_once_and_read_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder.path().join("data"));
        let sealed = vault(&config).unwrap().seal("row", &Secret::new("value")).unwrap();
        assert_eq!(vault(&config).unwrap().open("row", &sealed).unwrap().expose(), "value");
        let path = config.data_dir.join(ROOT_KEY_FILE);
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).unwrap()) & 0o777, 0o600);
        let files: Vec<_> =
            fs::read_dir(&config.data_dir).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, [ROOT_KEY_FILE]);
    }

    #[test]
    fn root_keys_of_the_settings_come_first_and_wrong_ones_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (new, old) = (STANDARD.encode([2; 32]), STANDARD.encode([1; 32]));
        let with = |root_keys: String| Config { root_keys, ..config(folder.path()) };
        let sealed = vault(&with(format!("k1:{old}"))).unwrap().seal("row", &Secret::new("value")).unwrap();
        let both = vault(&with(format!("k2:{new}, k1:{old}"))).unwrap();
        assert_eq!(both.open("row", &sealed).unwrap().expose(), "value");
        for wrong in ["nonsense", "k1:short", ":"] {
            assert!(vault(&with(wrong.into())).is_err(), "{wrong}");
        }
        assert!(!folder.path().join(ROOT_KEY_FILE).exists());
    }

    #[test]
    fn a_secret_that_is_there_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        keep_secret(&path, &Secret::new("one")).unwrap();
        let error = keep_secret(&path, &Secret::new("two")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    }
}
