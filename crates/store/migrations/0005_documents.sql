-- Objects of workflows and configuration, whole as JSON, with what they are found by; and journals that are about no
-- order.

CREATE TABLE documents (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    number TEXT,
    parent TEXT,
    status TEXT NOT NULL,
    at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT documents_version CHECK (version >= 1),
    CONSTRAINT documents_counters CHECK (due_at >= 0)
);
CREATE UNIQUE INDEX documents_number ON documents (merchant_id, kind, number) WHERE number IS NOT NULL;
CREATE INDEX documents_kind ON documents (merchant_id, kind, id);
CREATE INDEX documents_parent ON documents (merchant_id, kind, parent) WHERE parent IS NOT NULL;
CREATE INDEX documents_status ON documents (merchant_id, kind, status, at);
CREATE INDEX documents_due ON documents (due_at) WHERE due_at > 0;

CREATE VIEW v_documents AS
SELECT merchant_id, id, version, kind, number, parent, status, at, due_at, body
FROM documents;

DROP VIEW v_journal;

CREATE TABLE transactions_next (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    event_id TEXT NOT NULL,
    order_id TEXT,
    refund_id TEXT,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT transactions_amount CHECK (amount > 0)
);
INSERT INTO transactions_next (merchant_id, id, kind, event_id, order_id, refund_id, amount, currency, created_at)
SELECT merchant_id, id, kind, event_id, order_id, refund_id, amount, currency, created_at FROM transactions;
DROP TABLE transactions;
ALTER TABLE transactions_next RENAME TO transactions;
CREATE UNIQUE INDEX transactions_event ON transactions (merchant_id, event_id);
CREATE INDEX transactions_order ON transactions (merchant_id, order_id) WHERE order_id IS NOT NULL;

CREATE VIEW v_journal AS
SELECT entries.merchant_id AS merchant_id, entries.transaction_id AS transaction_id, entries.line AS line,
    entries.account AS account, entries.side AS side, entries.currency AS currency, entries.amount AS amount,
    transactions.kind AS kind, transactions.event_id AS event_id, transactions.order_id AS order_id,
    transactions.refund_id AS refund_id, transactions.created_at AS created_at
FROM entries
JOIN transactions ON transactions.merchant_id = entries.merchant_id AND transactions.id = entries.transaction_id;
