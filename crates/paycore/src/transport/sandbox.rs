//! Requests to simulated providers stay in the process; everything else goes to the real transport.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Transport, TransportError};
use crate::channel::Reply;
use crate::channel::simulator::Answer;
use crate::engine::Engine;
use crate::sandbox::service::handle;

/// The engine's own transport with the simulators in front of it, made for one exchange.
pub(crate) struct WithSandbox<'a> {
    pub(crate) engine: &'a Engine,
}

#[async_trait]
impl Transport for WithSandbox<'_> {
    async fn send(&self, request: http::Request<Bytes>, timeout: Duration) -> Result<Reply, TransportError> {
        let Some((account, path)) = self.engine.hub().addressed(request.uri()) else {
            return self.engine.transport.send(request, timeout).await;
        };
        let (mut head, body) = request.into_parts();
        head.uri = path.parse().map_err(|_| TransportError::Broken("not a path of the simulator".into()))?;
        let request = http::Request::from_parts(head, body);
        match handle(self.engine, account, &request).await {
            Ok(Answer::Reply(reply)) => Ok(reply),
            // A provider that does not answer: the caller would wait until its deadline. Nothing is gained by
            // really waiting, the outcome is the same.
            Ok(Answer::Silence) => Err(TransportError::Timeout),
            Err(error) => Err(TransportError::Broken(error.to_string())),
        }
    }
}
