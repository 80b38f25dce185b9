-- One schema for SQLite and PostgreSQL: columns are TEXT or BIGINT only. Money is in minor units, time in
-- microseconds UTC, JSON is text, flags are 0 or 1, ids are made by the application. Every row names its tenant
-- first, so that the tables spread over a distributed PostgreSQL by merchant_id.

CREATE TABLE merchants (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    livemode BIGINT NOT NULL,
    twin_id TEXT,
    active BIGINT NOT NULL,
    sealed_secret TEXT NOT NULL,
    clock_offset BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT merchants_version CHECK (version >= 1),
    CONSTRAINT merchants_flags CHECK (livemode IN (0, 1) AND active IN (0, 1)),
    CONSTRAINT merchants_clock_offset CHECK (clock_offset = 0 OR (clock_offset > 0 AND livemode = 0))
);

CREATE TABLE api_keys (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT api_keys_version CHECK (version >= 1)
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

CREATE TABLE channel_accounts (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    channel TEXT NOT NULL,
    name TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    sealed_settings TEXT NOT NULL,
    sealed_simulator TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT channel_accounts_version CHECK (version >= 1),
    CONSTRAINT channel_accounts_flags CHECK (enabled IN (0, 1))
);
CREATE UNIQUE INDEX channel_accounts_id ON channel_accounts (id);

CREATE TABLE orders (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    number TEXT NOT NULL,
    status TEXT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    authorized BIGINT NOT NULL,
    captured BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    refunding BIGINT NOT NULL,
    closing BIGINT NOT NULL,
    methods TEXT NOT NULL,
    capture TEXT NOT NULL,
    attempt_id TEXT,
    next_action TEXT,
    decline TEXT,
    details TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    paid_at BIGINT,
    sequence BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT orders_version CHECK (version >= 1),
    CONSTRAINT orders_status CHECK (status IN ('pending', 'processing', 'authorized', 'succeeded', 'failed',
        'closed', 'partially_refunded', 'refunded')),
    CONSTRAINT orders_amount CHECK (amount > 0),
    CONSTRAINT orders_sums CHECK (authorized >= 0 AND captured >= 0 AND refunded >= 0 AND refunding >= 0),
    CONSTRAINT orders_captured CHECK (captured <= authorized),
    -- As a difference, which cannot overflow: none of the numbers is negative.
    CONSTRAINT orders_refunded CHECK (refunding <= captured - refunded),
    CONSTRAINT orders_flags CHECK (closing IN (0, 1) AND capture IN ('automatic', 'manual')),
    CONSTRAINT orders_counters CHECK (sequence >= 0 AND due_at >= 0)
);
CREATE UNIQUE INDEX orders_number ON orders (merchant_id, number);
CREATE INDEX orders_due ON orders (due_at) WHERE due_at > 0;

CREATE TABLE attempts (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    order_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    account_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    method TEXT NOT NULL,
    status TEXT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    capturing BIGINT NOT NULL,
    channel_id TEXT,
    decline TEXT,
    fault TEXT,
    queries BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    ending_at BIGINT,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT attempts_version CHECK (version >= 1),
    CONSTRAINT attempts_status CHECK (status IN ('sending', 'unknown', 'awaiting', 'pending', 'authorized',
        'capturing', 'voiding', 'closing', 'succeeded', 'declined', 'closed')),
    CONSTRAINT attempts_amount CHECK (amount > 0 AND capturing >= 0),
    CONSTRAINT attempts_counters CHECK (queries >= 0 AND due_at >= 0)
);
CREATE UNIQUE INDEX attempts_reference ON attempts (merchant_id, account_id, reference);
CREATE INDEX attempts_order ON attempts (merchant_id, order_id);
CREATE INDEX attempts_due ON attempts (due_at) WHERE due_at > 0;

CREATE TABLE refunds (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    order_id TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    number TEXT NOT NULL,
    reference TEXT NOT NULL,
    status TEXT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT,
    metadata TEXT NOT NULL,
    channel_id TEXT,
    decline TEXT,
    fault TEXT,
    queries BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT refunds_version CHECK (version >= 1),
    CONSTRAINT refunds_status CHECK (status IN ('sending', 'unknown', 'pending', 'succeeded', 'failed')),
    CONSTRAINT refunds_amount CHECK (amount > 0),
    CONSTRAINT refunds_counters CHECK (queries >= 0 AND sequence >= 0 AND due_at >= 0)
);
CREATE UNIQUE INDEX refunds_number ON refunds (merchant_id, number);
CREATE UNIQUE INDEX refunds_reference ON refunds (merchant_id, reference);
CREATE INDEX refunds_order ON refunds (merchant_id, order_id);
CREATE INDEX refunds_due ON refunds (due_at) WHERE due_at > 0;

CREATE TABLE transactions (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    event_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    refund_id TEXT,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT transactions_amount CHECK (amount > 0)
);
CREATE UNIQUE INDEX transactions_event ON transactions (merchant_id, event_id);
CREATE INDEX transactions_order ON transactions (merchant_id, order_id);

CREATE TABLE entries (
    merchant_id TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    line BIGINT NOT NULL,
    account TEXT NOT NULL,
    side TEXT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    PRIMARY KEY (merchant_id, transaction_id, line),
    CONSTRAINT entries_side CHECK (side IN ('debit', 'credit')),
    CONSTRAINT entries_amount CHECK (amount > 0)
);

CREATE TABLE balances (
    merchant_id TEXT NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    debits BIGINT NOT NULL,
    credits BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, account, currency),
    -- The upper end stops SQLite, which would go on with a float where the sum leaves 64 bits.
    CONSTRAINT balances_sums CHECK (debits >= 0 AND debits <= 9223372036854775807
        AND credits >= 0 AND credits <= 9223372036854775807)
);

-- The last position given in each merchant's stream of events.
CREATE TABLE streams (
    merchant_id TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);

CREATE TABLE events (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    body TEXT NOT NULL,
    notify_url TEXT,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT events_counters CHECK (position >= 1 AND sequence >= 1 AND due_at >= 0)
);
CREATE UNIQUE INDEX events_sequence ON events (merchant_id, object_id, sequence);
CREATE UNIQUE INDEX events_position ON events (merchant_id, position);
CREATE INDEX events_due ON events (due_at) WHERE due_at > 0;

CREATE TABLE endpoints (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    url TEXT NOT NULL,
    sealed_secret TEXT NOT NULL,
    sealed_previous TEXT,
    previous_until BIGINT,
    events TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT endpoints_version CHECK (version >= 1),
    CONSTRAINT endpoints_flags CHECK (enabled IN (0, 1))
);

CREATE TABLE deliveries (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    endpoint_id TEXT,
    url TEXT NOT NULL,
    status TEXT NOT NULL,
    tries TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT deliveries_version CHECK (version >= 1),
    CONSTRAINT deliveries_status CHECK (status IN ('pending', 'succeeded', 'failed')),
    CONSTRAINT deliveries_counters CHECK (due_at >= 0)
);
CREATE INDEX deliveries_event ON deliveries (merchant_id, event_id);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at > 0;

CREATE TABLE exceptions (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    detail TEXT NOT NULL,
    resolved_at BIGINT,
    resolution TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT exceptions_version CHECK (version >= 1)
);
CREATE UNIQUE INDEX exceptions_open ON exceptions (merchant_id, kind, object_id) WHERE resolved_at IS NULL;

CREATE TABLE audits (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object_id TEXT,
    detail TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
);

CREATE TABLE idempotency (
    merchant_id TEXT NOT NULL,
    key TEXT NOT NULL,
    operation TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    object_id TEXT NOT NULL,
    status BIGINT,
    body TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, key),
    CONSTRAINT idempotency_answer CHECK ((status IS NULL AND body IS NULL)
        OR (status IS NOT NULL AND body IS NOT NULL))
);

CREATE TABLE sandbox_records (
    merchant_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (merchant_id, account_id, key)
);

-- One row that a readiness probe writes: what can be written here can be written elsewhere.
CREATE TABLE probes (
    id BIGINT NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL
);
INSERT INTO probes (id, count) VALUES (1, 0);
