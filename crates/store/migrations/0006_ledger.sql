-- What the ledger keeps beside its entries: the instant a booking counts for, what it reverses, floors and freezes of
-- accounts, and until when a merchant's books are closed.

ALTER TABLE transactions ADD COLUMN effective_at BIGINT
    CONSTRAINT transactions_effective CHECK (effective_at IS NULL OR effective_at <= created_at);
ALTER TABLE transactions ADD COLUMN reverses TEXT;
CREATE UNIQUE INDEX transactions_reverses ON transactions (merchant_id, reverses) WHERE reverses IS NOT NULL;
CREATE INDEX transactions_created ON transactions (merchant_id, created_at);

ALTER TABLE balances ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
-- As differences, which cannot overflow: no sum is negative.
ALTER TABLE balances ADD COLUMN overdraft BIGINT
    CONSTRAINT balances_overdraft CHECK (overdraft IS NULL OR overdraft >= 0)
    CONSTRAINT balances_floor CHECK (overdraft IS NULL OR debits - credits <= overdraft);
ALTER TABLE balances ADD COLUMN frozen_debits BIGINT
    CONSTRAINT balances_frozen CHECK (frozen_debits IS NULL OR debits <= frozen_debits);

CREATE TABLE books (
    merchant_id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    closed_until BIGINT NOT NULL,
    CONSTRAINT books_version CHECK (version >= 1)
);

CREATE VIEW v_books AS
SELECT merchant_id, version, closed_until
FROM books;

DROP VIEW v_balances;
CREATE VIEW v_balances AS
SELECT merchant_id, account, currency, debits, credits, debits - credits AS balance, overdraft, frozen_debits
FROM balances;

DROP VIEW v_journal;
CREATE VIEW v_journal AS
SELECT entries.merchant_id AS merchant_id, entries.transaction_id AS transaction_id, entries.line AS line,
    entries.account AS account, entries.side AS side, entries.currency AS currency, entries.amount AS amount,
    transactions.kind AS kind, transactions.event_id AS event_id, transactions.order_id AS order_id,
    transactions.refund_id AS refund_id, transactions.reverses AS reverses,
    coalesce(transactions.effective_at, transactions.created_at) AS effective_at,
    transactions.created_at AS created_at
FROM entries
JOIN transactions ON transactions.merchant_id = entries.merchant_id AND transactions.id = entries.transaction_id;
