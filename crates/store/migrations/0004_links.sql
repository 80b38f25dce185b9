-- Payment links.

CREATE TABLE links (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    amount BIGINT,
    currency TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    details TEXT NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT links_version CHECK (version >= 1),
    CONSTRAINT links_amount CHECK (amount IS NULL OR amount > 0),
    CONSTRAINT links_flags CHECK (enabled IN (0, 1))
);
CREATE UNIQUE INDEX links_id ON links (id);
