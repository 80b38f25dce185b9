//! Every statement that a commit can run, in one list: its place in the list is where the writers keep it
//! prepared, and the order in which a batch runs them (claims, then new rows before changed ones).

use crate::write::{Expect, Write};
use crate::{
    account, audit, document, epay, event, exception, idempotency, ledger, link, merchant, order, queue,
    refund, sandbox, webhook,
};

macro_rules! statements {
    ($($name:ident => $write:expr,)*) => {
        /// A statement that writes one row of a commit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Statement { $($name,)* }

        impl Statement {
            /// Every statement.
            pub(crate) const ALL: &'static [Statement] = &[$(Statement::$name,)*];

            /// Its text and types.
            pub(crate) fn write(self) -> &'static Write {
                const WRITES: &[Write] = &[$($write,)*];
                &WRITES[self as usize]
            }
        }
    };
}

statements! {
    ClaimOpen => idempotency::OPEN,
    ClaimClose => idempotency::CLOSE,
    OrderInsert => order::INSERT,
    OrderUpdate => order::UPDATE,
    AttemptInsert => order::INSERT_ATTEMPT,
    AttemptUpdate => order::UPDATE_ATTEMPT,
    RefundInsert => refund::INSERT,
    RefundUpdate => refund::UPDATE,
    MerchantInsert => merchant::INSERT,
    MerchantUpdate => merchant::UPDATE,
    KeyInsert => merchant::INSERT_KEY,
    KeyUpdate => merchant::UPDATE_KEY,
    EpayKeyInsert => epay::INSERT,
    EpayKeyUpdate => epay::UPDATE,
    AccountInsert => account::INSERT,
    AccountUpdate => account::UPDATE,
    EndpointInsert => webhook::INSERT_ENDPOINT,
    EndpointUpdate => webhook::UPDATE_ENDPOINT,
    DeliveryInsert => webhook::INSERT_DELIVERY,
    DeliveryUpdate => webhook::UPDATE_DELIVERY,
    ExceptionInsert => exception::INSERT,
    ExceptionUpdate => exception::UPDATE,
    LinkInsert => link::INSERT,
    LinkUpdate => link::UPDATE,
    DocumentInsert => document::INSERT,
    DocumentUpdate => document::UPDATE,
    EventDispatched => event::DISPATCHED,
    SandboxPut => sandbox::PUT,
    HastenOrders => queue::HASTEN_ORDERS,
    HastenAttempts => queue::HASTEN_ATTEMPTS,
    HastenRefunds => queue::HASTEN_REFUNDS,
    HastenEvents => queue::HASTEN_EVENTS,
    HastenDeliveries => queue::HASTEN_DELIVERIES,
    HastenDocuments => queue::HASTEN_DOCUMENTS,
    TermsOpen => ledger::OPEN_TERMS,
    TermsUpdate => ledger::UPDATE_TERMS,
    BooksInsert => ledger::INSERT_BOOKS,
    BooksUpdate => ledger::UPDATE_BOOKS,
    TransactionInsert => ledger::INSERT,
    EntryInsert => ledger::INSERT_ENTRY,
    EventInsert => event::INSERT,
    AuditInsert => audit::INSERT,
}

/// The new row and the changed row of each kind of object.
const PAIRS: &[(Statement, Statement)] = &[
    (Statement::OrderInsert, Statement::OrderUpdate),
    (Statement::AttemptInsert, Statement::AttemptUpdate),
    (Statement::RefundInsert, Statement::RefundUpdate),
    (Statement::MerchantInsert, Statement::MerchantUpdate),
    (Statement::KeyInsert, Statement::KeyUpdate),
    (Statement::EpayKeyInsert, Statement::EpayKeyUpdate),
    (Statement::AccountInsert, Statement::AccountUpdate),
    (Statement::EndpointInsert, Statement::EndpointUpdate),
    (Statement::DeliveryInsert, Statement::DeliveryUpdate),
    (Statement::ExceptionInsert, Statement::ExceptionUpdate),
    (Statement::LinkInsert, Statement::LinkUpdate),
    (Statement::DocumentInsert, Statement::DocumentUpdate),
];

/// Whether the order of a commit's rows may matter, so that it cannot be gathered with others by statement: it
/// touches rows it does not name, or changes an object of a kind before it adds one.
pub(crate) fn depends_on_order(statements: impl Iterator<Item = Statement> + Clone) -> bool {
    let mut sweeps = statements.clone().map(|statement| statement.write().expect == Expect::Any);
    sweeps.any(|sweeps| sweeps)
        || PAIRS.iter().any(|(insert, update)| {
            let mut after_change = statements.clone().skip_while(|statement| statement != update);
            after_change.any(|statement| statement == *insert)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_rows_before_changed_ones_and_different_kinds_can_be_gathered() {
        use Statement::{AttemptInsert, HastenOrders, OrderInsert, OrderUpdate};
        let depends = |statements: &[Statement]| depends_on_order(statements.iter().copied());
        assert!(!depends(&[OrderInsert, OrderUpdate]) && !depends(&[OrderUpdate, AttemptInsert]));
        assert!(
            depends(&[OrderUpdate, AttemptInsert, OrderInsert]) && depends(&[AttemptInsert, HastenOrders])
        );
    }

    #[test]
    fn every_statement_has_a_type_for_each_placeholder_and_names_its_tenant() {
        for statement in Statement::ALL {
            let Write { sql, types, .. } = statement.write();
            let placeholder = |number: usize| {
                let wanted = format!("${number}");
                sql.match_indices(&wanted)
                    .any(|(at, _)| !sql[at + wanted.len()..].starts_with(|c: char| c.is_ascii_digit()))
            };
            for number in 1..=types.len() {
                // An update may leave out a placeholder that only the insert of the same cells needs.
                assert!(placeholder(number) || sql.starts_with("UPDATE"), "{statement:?}: ${number}");
            }
            assert!(!placeholder(types.len() + 1), "{statement:?}");
            let tenant = sql.contains("(merchant_id, ") || sql.contains("merchant_id = $1");
            assert!(tenant || sql.contains(" merchants "), "{statement:?}");
            assert!(types.starts_with('t') && types.chars().all(|letter| matches!(letter, 't' | 'i')));
        }
    }
}
