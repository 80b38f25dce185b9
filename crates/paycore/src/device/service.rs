//! Operations on devices.

use super::{AuthorizeDevice, DeviceAuthorization};
use crate::channel::{Operation, Verb, Verdict};
use crate::engine::{Caller, Engine, OpenAccount};
use crate::error::{Code, Error, Result};
use crate::order::input::text;

/// Lets a device read payers. Nothing is kept: it may be asked for as often as the device begins anew.
///
/// # Errors
/// `NoChannel` where no enabled channel account takes the method and lets devices read; `Unavailable` where the channel
/// does not answer, or not with what a device needs.
pub async fn authorize(
    engine: &Engine,
    caller: &Caller,
    input: AuthorizeDevice,
) -> Result<DeviceAuthorization> {
    text("store", &input.store, 1, 32)?;
    text("store_name", &input.store_name, 1, 128)?;
    text("device", &input.device, 1, 32)?;
    text("challenge", &input.challenge, 1, 2_048)?;
    let accounts = engine.accounts(caller.tenant()).await?;
    let open = accounts.iter().find(|open| open.account.enabled && lets(open, &input)).ok_or_else(|| {
        let detail = format!("No channel account lets devices read payers for {}.", input.method);
        Error::new(Code::NoChannel, detail).param("method")
    })?;
    let (asked, now) = (Operation::AuthorizeDevice(input.device()), engine.moment(&caller.merchant).now);
    let step = engine.encode(open, &asked, now)?;
    let outcome = engine.exchange(open, &asked, step, now).await;
    match outcome.map(|outcome| outcome.verdict) {
        Ok(Verdict::Awaiting(next_action)) => {
            Ok(DeviceAuthorization { object: "device_authorization", next_action })
        }
        Ok(other) => Err(Error::internal(format!("a device that is {other:?}"))),
        Err(fault) => {
            Err(Error::new(Code::Unavailable, format!("The channel did not let the device read: {fault}")))
        }
    }
}

/// Whether a channel account takes the method and lets devices read.
fn lets(open: &OpenAccount, input: &AuthorizeDevice) -> bool {
    let profile = open.channel.as_ref().map(|channel| channel.profile());
    profile.is_some_and(|profile| {
        profile.verbs.contains(&Verb::AuthorizeDevice)
            && profile.capabilities.iter().any(|row| input.method.is(row.brand, row.scene))
    })
}
