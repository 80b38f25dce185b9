//! The simulated Testpay provider. It shares only the HMAC primitive with the adapter: its reading, writing and
//! signing are its own, so that a mistake in one shows against the other.

mod bank;
mod charge;
mod page;
mod wire;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use paycore::channel::Settings;
use paycore::channel::simulator::{Answer, BookLine, Maker, Notification, Provision, Simulator};
use paycore::crypto::{KeyError, Keyring};
use paycore::time::{Rng, Timestamp};

use crate::sandbox::drawn;
use bank::Bank;
use charge::{Charge, State, script};
use wire::{Problem, Wire};

/// Makes Testpay simulators.
pub(super) struct TestpayMaker;

impl Maker for TestpayMaker {
    fn provision(
        &self,
        base_url: &str,
        _keyring: &dyn Keyring,
        rng: &dyn Rng,
    ) -> Result<Provision, KeyError> {
        let account = drawn("acct_", "0123456789abcdef", 16, rng);
        let secret = drawn("", "0123456789abcdef", 64, rng);
        let settings =
            || [("account", account.clone()), ("secret", secret.clone()), ("base_url", base_url.to_owned())];
        Ok(Provision { ours: Settings::from_pairs(settings()), theirs: Settings::from_pairs(settings()) })
    }

    fn open(&self, theirs: &Settings, _keyring: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        let text = |field| theirs.value(field).ok_or(KeyError::Empty);
        let wire = Wire::new(text("account")?.expose(), text("secret")?.expose())?;
        let base_url = text("base_url")?.expose().trim_end_matches('/').to_owned();
        Ok(Box::new(Provider { wire, bank: Bank::default(), base_url }))
    }
}

struct Provider {
    wire: Wire,
    bank: Bank,
    base_url: String,
}

impl Simulator for Provider {
    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.bank.settle(now.millis());
        let path = request.uri().path();
        match path.strip_prefix("/payer/") {
            Some(rest) => Answer::Reply(self.payer(request.method(), rest, now.millis())),
            None => self.api(request, path, now.millis()),
        }
    }

    fn due(&mut self, now: Timestamp) -> Vec<Notification> {
        self.bank.settle(now.millis());
        let mut due = Vec::new();
        while let Some(id) = self.bank.take_due(now.millis()) {
            match self.notification(id, now.millis()) {
                Some(request) => due.push(Notification { id, request }),
                None => self.bank.acknowledge(id),
            }
        }
        due
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.bank.next_due().map(Timestamp::from_millis)
    }

    fn notified(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        let accepted = response.is_some_and(|r| r.status().is_success() && r.body().trim_ascii() == b"ok");
        if accepted {
            self.bank.acknowledge(id);
        } else {
            self.bank.send_again(id, now.millis());
        }
    }

    fn changed(&mut self) -> Vec<(String, String)> {
        self.bank.changed()
    }

    fn restore(&mut self, _key: &str, value: &str) {
        // Records are our own; one that cannot be read was damaged in storage and is left out.
        if let Ok(charge) = serde_json::from_str::<Charge>(value) {
            self.bank.restore(charge);
        }
    }

    fn book(&self) -> Vec<BookLine> {
        self.bank.book()
    }

    fn statement(&mut self, from: Timestamp, until: Timestamp) -> Option<Bytes> {
        self.bank.settle(until.millis().saturating_sub(1));
        Some(self.bank.statement(from.millis(), until.millis()).into())
    }
}

impl Provider {
    fn api(&mut self, request: &Request<Bytes>, path: &str, now: i64) -> Answer {
        let nonce = match self.wire.authenticate(request, now) {
            Ok(nonce) => nonce,
            Err(problem) => return Answer::Reply(self.wire.problem(path, "none", problem, now)),
        };
        if request.method() != Method::POST {
            return Answer::Reply(self.wire.problem(path, nonce, Problem::invalid("POST is wanted"), now));
        }
        let answer = match path {
            "/v1/charges" => self.create(request.body(), now),
            "/v1/query" => self.with_charge(request.body(), now, |_, _, _| Ok(())),
            "/v1/close" => self.with_charge(request.body(), now, |bank, index, _| bank.close(index, now)),
            "/v1/capture" => self.with_charge(request.body(), now, |bank, index, body| {
                body.money().and_then(|m| bank.capture(index, m, now))
            }),
            "/v1/void" => self.with_charge(request.body(), now, |bank, index, _| bank.void(index)),
            "/v1/refunds" => self.refund(request.body(), now),
            "/v1/refund_query" => self.refund_state(request.body()),
            _ => Err(Problem::invalid("there is no such call")),
        };
        match answer {
            Ok(body) => Answer::Reply(self.wire.reply(path, nonce, StatusCode::OK, body, now)),
            Err(problem) if problem == Problem::SILENCE => Answer::Silence,
            Err(problem) => Answer::Reply(self.wire.problem(path, nonce, problem, now)),
        }
    }

    fn create(&mut self, body: &[u8], now: i64) -> Result<Vec<u8>, Problem> {
        let (index, is_new) = self.bank.create(wire::read(body)?, now)?;
        match self.bank.charge(index).script() {
            script::TIMEOUT if is_new => Err(Problem::SILENCE),
            script::FIRST_UNKNOWN if is_new => Err(Problem::SYSTEM),
            _ => Ok(self.charge_body(index)),
        }
    }

    fn with_charge(
        &mut self,
        body: &[u8],
        now: i64,
        act: impl FnOnce(&mut Bank, u32, &wire::Charge<'_>) -> Result<(), Problem>,
    ) -> Result<Vec<u8>, Problem> {
        let body: wire::Charge<'_> = wire::read(body)?;
        let index = self.bank.find(&body.reference, now).ok_or(Problem::NOT_FOUND)?;
        if body.id.as_deref().is_some_and(|id| id != self.bank.charge(index).id()) {
            return Err(Problem::NOT_FOUND);
        }
        act(&mut self.bank, index, &body)?;
        Ok(self.charge_body(index))
    }

    fn refund(&mut self, body: &[u8], now: i64) -> Result<Vec<u8>, Problem> {
        let (index, position, is_new) = self.bank.refund(&wire::read(body)?, now)?;
        match self.bank.charge(index).script() {
            script::REFUND_UNKNOWN if is_new => Err(Problem::SYSTEM),
            _ => Ok(wire::write(&wire::State::refund(self.bank.charge(index), position))),
        }
    }

    fn refund_state(&mut self, body: &[u8]) -> Result<Vec<u8>, Problem> {
        let body: wire::Refund<'_> = wire::read(body)?;
        let (index, position) =
            self.bank.find_refund(&body.payment_reference, &body.reference).ok_or(Problem::NOT_FOUND)?;
        Ok(wire::write(&wire::State::refund(self.bank.charge(index), position)))
    }

    fn charge_body(&self, index: u32) -> Vec<u8> {
        let charge = self.bank.charge(index);
        let page = (charge.state == State::Awaiting).then(|| self.payer_url(charge));
        wire::write(&wire::State::charge(charge, page.as_deref()))
    }

    fn payer_url(&self, charge: &Charge) -> String {
        format!("{}/payer/{}", self.base_url, charge.reference)
    }

    fn notification(&self, id: u64, now: i64) -> Option<Request<Bytes>> {
        let (charge, note) = self.bank.note(id)?;
        self.wire.notification(id, charge, note, now)
    }

    /// The payer's side: `{reference}`, `{reference}/pay` and `{reference}/cancel`.
    fn payer(&mut self, method: &Method, rest: &str, now: i64) -> Response<Bytes> {
        let (reference, button) = rest.split_once('/').unwrap_or((rest, ""));
        let Some(index) = self.bank.find(reference, now) else { return page::unknown() };
        let waiting = self.bank.charge(index).state == State::Awaiting;
        match (method.as_str(), button) {
            ("GET", "") if waiting => return page::checkout(self.bank.charge(index)),
            ("GET", "") => {}
            ("POST", "pay") if waiting => self.bank.pay(index, now),
            ("POST", "cancel") if waiting => self.bank.cancel(index, now),
            ("POST", "pay" | "cancel") => {}
            _ => return page::unknown(),
        }
        page::result(self.bank.charge(index), !button.is_empty())
    }
}
