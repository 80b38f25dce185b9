-- What channels took back because of disputes. With what was and is being refunded it never exceeds the capture.

ALTER TABLE orders ADD COLUMN charged_back BIGINT NOT NULL DEFAULT 0
    CONSTRAINT orders_charged_back CHECK (
        -- The first case is refused by another rule; it stands here so that no difference overflows.
        CASE WHEN refunding < 0 OR refunding > captured - refunded THEN charged_back = 0
        ELSE charged_back >= 0 AND charged_back <= captured - refunded - refunding END
    );

DROP VIEW v_orders;

CREATE VIEW v_orders AS
SELECT merchant_id, id, version, number, status, currency, amount, authorized, captured, refunded, refunding,
    charged_back, closing, capture, methods, attempt_id, sequence, expires_at, created_at, updated_at, paid_at, due_at
FROM orders;
