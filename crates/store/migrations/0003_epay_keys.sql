-- Keys of shops that speak 易支付 (epay). The number on the wire is unique over all merchants.

CREATE TABLE epay_keys (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    pid TEXT NOT NULL,
    name TEXT NOT NULL,
    protocol TEXT NOT NULL,
    sealed_key TEXT NOT NULL,
    platform_public_key TEXT,
    shop_public_key TEXT,
    revoked_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT epay_keys_version CHECK (version >= 1),
    CONSTRAINT epay_keys_protocol CHECK (protocol IN ('v1', 'v2'))
);
CREATE UNIQUE INDEX epay_keys_pid ON epay_keys (pid);
