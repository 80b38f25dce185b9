-- What channels took back because of disputes. With what was and is being refunded it never exceeds the capture.

ALTER TABLE orders ADD COLUMN charged_back BIGINT NOT NULL DEFAULT 0
    CONSTRAINT orders_charged_back CHECK (
        -- The first case is refused by another rule; it stands here so that no difference overflows.
        CASE WHEN refunding < 0 OR refunding > captured - refunded THEN charged_back = 0
        ELSE charged_back >= 0 AND charged_back <= captured - refunded - refunding END
    );
