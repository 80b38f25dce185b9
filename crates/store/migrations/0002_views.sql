-- Read-only views for people and for checks from outside; docs/reference/views.md describes every column.

CREATE VIEW v_orders AS
SELECT merchant_id, id, version, number, status, currency, amount, authorized, captured, refunded, refunding,
    closing, capture, methods, attempt_id, sequence, expires_at, created_at, updated_at, paid_at, due_at
FROM orders;

CREATE VIEW v_attempts AS
SELECT merchant_id, id, version, order_id, channel, account_id, reference, method, status, currency, amount,
    capturing, channel_id, fault, queries, created_at, updated_at, due_at
FROM attempts;

CREATE VIEW v_refunds AS
SELECT merchant_id, id, version, order_id, attempt_id, number, reference, status, currency, amount, reason,
    channel_id, fault, queries, sequence, created_at, updated_at, due_at
FROM refunds;

CREATE VIEW v_journal AS
SELECT entries.merchant_id AS merchant_id, entries.transaction_id AS transaction_id, entries.line AS line,
    entries.account AS account, entries.side AS side, entries.currency AS currency, entries.amount AS amount,
    transactions.kind AS kind, transactions.event_id AS event_id, transactions.order_id AS order_id,
    transactions.refund_id AS refund_id, transactions.created_at AS created_at
FROM entries
JOIN transactions ON transactions.merchant_id = entries.merchant_id AND transactions.id = entries.transaction_id;

CREATE VIEW v_balances AS
SELECT merchant_id, account, currency, debits, credits, debits - credits AS balance
FROM balances;

CREATE VIEW v_events AS
SELECT merchant_id, id, position, kind, object_id, sequence, body, created_at, due_at
FROM events;

CREATE VIEW v_deliveries AS
SELECT merchant_id, id, version, event_id, endpoint_id, url, status, tries, created_at, due_at
FROM deliveries;

CREATE VIEW v_idempotency AS
SELECT merchant_id, key, operation, request_hash, object_id, status, body, created_at
FROM idempotency;

CREATE VIEW v_exceptions AS
SELECT merchant_id, id, version, kind, object_id, detail, resolved_at, resolution, created_at
FROM exceptions;

CREATE VIEW v_audit AS
SELECT merchant_id, id, actor, action, object_id, detail, created_at
FROM audits;
