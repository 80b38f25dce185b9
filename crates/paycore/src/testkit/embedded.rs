//! An engine that needs nothing: memory for a store, simulators for providers, fresh keys. For examples, for trying
//! things out and for the tests of programs that embed paycore. Everything is lost when it is dropped.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use bytes::Bytes;

use super::MemoryStore;
use crate::account::service::{self as accounts, CreateChannelAccount};
use crate::channel::simulator::Answer;
use crate::channel::{Action, Driver, Reply};
use crate::crypto::envelope::EnvelopeVault;
use crate::crypto::native::NativeKeyring;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::merchant::service::{authenticate, first_start};
use crate::order::Order;
use crate::sandbox::service as sandbox;
use crate::secret::Secret;
use crate::time::Rng;
use crate::transport::system::{SystemClock, SystemRng};
use crate::transport::{Transport, TransportError};

/// A transport that reaches nobody. Simulators are reached without one.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNetwork;

#[async_trait]
impl Transport for NoNetwork {
    async fn send(&self, _: http::Request<Bytes>, _: Duration) -> Result<Reply, TransportError> {
        Err(TransportError::Connect)
    }
}

impl Engine {
    /// An engine in memory with these channels. Only their simulators can be reached.
    pub fn sandbox(drivers: &[&'static dyn Driver]) -> Engine {
        let mut root = [0; 32];
        SystemRng.fill(&mut root);
        let root = Secret::new(base64::engine::general_purpose::STANDARD.encode(root));
        let vault =
            EnvelopeVault::new([("memory", &root)]).expect("the root key was made with the right length");
        let engine = Engine::builder()
            .store(Arc::new(MemoryStore::new()))
            .transport(Arc::new(NoNetwork))
            .channels(drivers)
            .keyring(Arc::new(NativeKeyring))
            .vault(Arc::new(vault))
            .clock(Arc::new(SystemClock))
            .rng(Arc::new(SystemRng));
        engine.build().expect("every part is given")
    }

    /// Opens a sandbox shop with an account at the simulator of every channel, and says who may act for it.
    ///
    /// # Errors
    /// [`Code::StateNotAllowed`] where the engine has merchants already.
    pub async fn demo_shop(&self) -> Result<Caller> {
        let started = first_start(self, "Demo shop 示例小店").await?;
        let key = started.and_then(|start| start.merchant.test_key.key);
        let key =
            key.ok_or_else(|| Error::new(Code::StateNotAllowed, "This engine has merchants already."))?;
        let shop = authenticate(self, &key).await?;
        let shop = shop.ok_or_else(|| Error::internal("a key that was just made is not known"))?;
        for driver in self.drivers().iter().filter(|driver| driver.simulator().is_some()) {
            let channel = driver.profile().id.to_owned();
            let input = CreateChannelAccount { channel, name: None, settings: None, priority: None };
            accounts::create(self, &shop, input).await?;
        }
        Ok(shop)
    }

    /// Plays the payer of a sandbox order: opens what the order shows (a QR code or an address) at the simulated
    /// provider, presses "pay", and lets the provider's notification arrive.
    ///
    /// # Errors
    /// [`Code::StateNotAllowed`] where the order shows nothing that a payer could open.
    pub async fn payer_pays(&self, order: &Order) -> Result<()> {
        let shown = match &order.next_action {
            Some(Action::Qr { content }) => content.clone(),
            Some(Action::Redirect { url }) => url.clone(),
            _ => return Err(Error::new(Code::StateNotAllowed, "The payer of this order has nothing to do.")),
        };
        let opened = self.browse(http::Method::GET, &shown).await?;
        let led =
            opened.headers().get(http::header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or(&shown);
        self.browse(http::Method::POST, &format!("{}/pay", led.trim_end_matches('/'))).await?;
        sandbox::deliver(self).await?;
        Ok(())
    }

    async fn browse(&self, method: http::Method, address: &str) -> Result<Reply> {
        let elsewhere =
            || Error::new(Code::StateNotAllowed, "The payer is sent to no simulator of this engine.");
        let uri: http::Uri = address.parse().map_err(|_| elsewhere())?;
        let (account, path) = self.hub().addressed(&uri).ok_or_else(elsewhere)?;
        let request = http::Request::builder().method(method).uri(path).body(Bytes::new());
        match sandbox::handle(self, account, &request.map_err(Error::internal)?).await? {
            Answer::Reply(reply) => Ok(reply),
            Answer::Silence => Err(Error::new(Code::Unavailable, "The simulated provider keeps silent.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merchant::Scope;

    #[tokio::test]
    async fn a_demo_shop_is_a_sandbox_with_every_scope_and_is_opened_once() {
        let engine = Engine::sandbox(&[]);
        let shop = engine.demo_shop().await.unwrap();
        assert!(!shop.merchant.livemode);
        assert!(Scope::MERCHANT.iter().all(|scope| shop.require(*scope).is_ok()));
        assert_eq!(engine.demo_shop().await.unwrap_err().code, Code::StateNotAllowed);
    }

    #[tokio::test]
    async fn the_payer_goes_to_no_address_but_a_simulators() {
        let engine = Engine::sandbox(&[]);
        for address in
            ["https://example.com/pay", "not an address", "http://127.0.0.1:8080/sandbox/cha_x/payer/1"]
        {
            let error = engine.browse(http::Method::GET, address).await.unwrap_err();
            assert_eq!(error.code, Code::StateNotAllowed, "{address}");
        }
    }
}
