//! Notifications, as far as they do not depend on the operator.

use http::Method;
use paycore::channel::{Fault, Notice};

use crate::dialect::form::Form;

/// The form that an operator posted, not verified yet.
pub(super) fn form(notice: &Notice) -> Result<Form<'_>, Fault> {
    if notice.method() != Method::POST {
        return Err(Fault::Unexpected("a notification is a POST".into()));
    }
    Form::read(notice.body())
}
