-- The contract with whoever makes e-invoices for a hospital. app_id: its name there. place: where its bills are made from, as they call it.
-- secret: sealed.
CREATE TABLE invoice_account (
    hospital_id BIGINT NOT NULL,
    base_url    TEXT   NOT NULL,
    app_id      TEXT   NOT NULL,
    place       TEXT   NOT NULL,
    secret      TEXT   NOT NULL,
    active      BIGINT NOT NULL DEFAULT 1,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (hospital_id)
);

-- batch: the provider's code that a number belongs to. tries and next_at: of what is under way, the making or the writing off. red: the number
-- of the bill that wrote it off.
ALTER TABLE invoice ADD COLUMN batch TEXT;
ALTER TABLE invoice ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invoice ADD COLUMN next_at BIGINT;
ALTER TABLE invoice ADD COLUMN error TEXT;
ALTER TABLE invoice ADD COLUMN red TEXT;
CREATE INDEX invoice_due ON invoice (next_at) WHERE state = 'wanted' OR (state = 'reversed' AND red IS NULL);
