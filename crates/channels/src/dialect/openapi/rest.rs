//! Protocol v3: the method is the path, the content is JSON or a query, and signatures stand in headers, ours in
//! `Authorization`, the gateway's in four of its own.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use paycore::channel::{Context, Fault, Refusal, Reply};
use paycore::time::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Answer, App, CLOCKS, Refused, once, random, read};

/// Methods that are asked with GET.
const READ: &[&str] = &["alipay.data.dataservice.bill.downloadurl.query", "alipay.fund.trans.common.query"];

/// An error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Error {
    code: String,
    message: String,
}

impl App {
    /// A call as a REST request. The path is signed as it stands below the gateway: a proxy in between may add a prefix
    /// that the gateway never sees.
    pub(super) fn rest(
        &self,
        method: &str,
        content: &Value,
        notify_url: Option<&str>,
        cx: &Context<'_>,
    ) -> Result<Request<Bytes>, Refusal> {
        let mut path = format!("/v3/{}", method.replace('.', "/"));
        let (mut verb, mut body) = (Method::POST, String::new());
        if READ.contains(&method) {
            verb = Method::GET;
            path = format!("{path}?{}", query(content));
        } else {
            let mut content = content.clone();
            if let Some(url) = notify_url {
                content["notify_url"] = url.into();
            }
            body = content.to_string();
        }
        let seal = self.seal.as_ref().filter(|_| !body.is_empty());
        if let Some(seal) = seal {
            body = seal.close(body.as_bytes());
        }
        let mut request = Request::builder()
            .method(&verb)
            .uri(format!("{}{path}", self.gateway.trim_end_matches("/gateway.do")))
            .header(AUTHORIZATION, self.authorization(&verb, &path, &body, cx)?)
            .header(ACCEPT, "application/json")
            .header("alipay-request-id", random(cx));
        if !body.is_empty() {
            let kind = if seal.is_some() { "text/plain;charset=utf-8" } else { "application/json" };
            request = request.header(CONTENT_TYPE, kind);
        }
        if self.seal.is_some() {
            request = request.header("alipay-encrypt-type", "AES");
        }
        if let Some(serials) = &self.certificates {
            request = request.header("alipay-root-cert-sn", &serials.root);
        }
        if let Some(token) = &self.app_auth_token {
            request = request.header("alipay-app-auth-token", token);
        }
        request.body(Bytes::from(body)).map_err(|_| Refusal::Signing)
    }

    fn authorization(
        &self,
        verb: &Method,
        path: &str,
        body: &str,
        cx: &Context<'_>,
    ) -> Result<String, Refusal> {
        let serial = self.certificates.as_ref().map(|serials| format!(",app_cert_sn={}", serials.app));
        let (app_id, nonce, millis) = (&self.app_id, random(cx), cx.now.millis());
        let who = format!("app_id={app_id}{},nonce={nonce},timestamp={millis}", serial.unwrap_or_default());
        let mut text = format!("{who}\n{verb}\n{path}\n{body}\n");
        if let Some(token) = &self.app_auth_token {
            text.extend([token.as_str(), "\n"]);
        }
        Ok(format!("ALIPAY-SHA256withRSA {who},sign={}", self.sign(&text)?))
    }

    /// Verifies and reads an answer.
    pub(super) fn rested<T: DeserializeOwned>(
        &self,
        reply: &Reply,
        cx: &Context<'_>,
    ) -> Result<Answer<T>, Fault> {
        let (status, body) = (reply.status(), reply.body().as_ref());
        let verified = self.verify_headers(reply, cx);
        let definite = status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
        if !definite && status != StatusCode::OK && status != StatusCode::ACCEPTED {
            return Err(Fault::Unexpected(format!("HTTP status {}", status.as_u16())));
        }
        let signed = verified.is_ok();
        if !definite {
            verified?;
        }
        let object = self.clear(body)?;
        let error: Error = read(&object)?;
        let refused = Refused::new(&error.code, &error.message);
        // The status is not signed, so what the body says has to fit it.
        match (definite, error.code.is_empty()) {
            // What nobody signed is told, and decides nothing.
            (true, false) if !signed => Err(refused.unknown()),
            (true, false) => Ok(Answer::Refused(refused)),
            (false, true) if status == StatusCode::OK => Ok(Answer::Done(read(&object)?)),
            (false, true) => Ok(Answer::Waiting(read(&object)?)),
            _ => Err(Fault::Unexpected(format!("HTTP status {} with {:?}", status.as_u16(), refused.code))),
        }
    }

    fn verify_headers(&self, reply: &Reply, cx: &Context<'_>) -> Result<(), Fault> {
        let headers = reply.headers();
        let (millis, nonce) = (once(headers, "alipay-timestamp")?, once(headers, "alipay-nonce")?);
        let serial = headers.contains_key("alipay-sn").then(|| once(headers, "alipay-sn")).transpose()?;
        let mut text = Vec::with_capacity(reply.body().len() + 64);
        for line in [millis.as_bytes(), nonce.as_bytes(), reply.body()] {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        self.verify(serial, &text, once(headers, "alipay-signature")?, cx.now)?;
        let sent = millis.parse().ok().map(Timestamp::from_millis);
        let apart = sent.map(|sent| sent.since(cx.now).max(cx.now.since(sent)));
        if apart.is_none_or(|apart| apart > CLOCKS) {
            return Err(Fault::Unacceptable(format!("answered at {millis:?}, not now")));
        }
        Ok(())
    }
}

/// The members of an object of texts, as a query.
fn query(content: &Value) -> String {
    let members = content.as_object().into_iter().flatten();
    let pairs = members.filter_map(|(name, value)| Some((name, value.as_str()?)));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
