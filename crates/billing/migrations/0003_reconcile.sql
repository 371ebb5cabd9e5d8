-- One day of one contract, held against the other side's bill. open: not read yet. counted: read, and something is not explained.
-- closed: everything is. next_at: when it is looked at (again).
CREATE TABLE bill_day (
    hospital_id    BIGINT NOT NULL,
    pay_account_id TEXT   NOT NULL,
    date           TEXT   NOT NULL,
    state          TEXT   NOT NULL CHECK (state IN ('open', 'counted', 'closed')),
    next_at        BIGINT,
    tries          BIGINT NOT NULL DEFAULT 0,
    error          TEXT,
    payments       BIGINT NOT NULL DEFAULT 0,
    paid_fen       BIGINT NOT NULL DEFAULT 0,
    refunds        BIGINT NOT NULL DEFAULT 0,
    refunded_fen   BIGINT NOT NULL DEFAULT 0,
    equal          BIGINT NOT NULL DEFAULT 0,
    carried        BIGINT NOT NULL DEFAULT 0,
    unexplained    BIGINT NOT NULL DEFAULT 0,
    read_at        BIGINT,
    closed_at      BIGINT,
    PRIMARY KEY (hospital_id, pay_account_id, date),
    CHECK (state <> 'closed' OR unexplained = 0)
);
CREATE INDEX bill_day_due ON bill_day (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX bill_day_date ON bill_day (hospital_id, date);

-- The bill's lines, by our numbers. A line may stand in the bills of two days around midnight.
CREATE TABLE bill_line (
    hospital_id    BIGINT NOT NULL,
    pay_account_id TEXT   NOT NULL,
    what           TEXT   NOT NULL CHECK (what IN ('payment', 'refund')),
    number         TEXT   NOT NULL,
    date           TEXT   NOT NULL,
    order_number   TEXT   NOT NULL,
    provider_no    TEXT   NOT NULL,
    amount_fen     BIGINT NOT NULL,
    at             BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, pay_account_id, what, number, date)
);
CREATE INDEX bill_line_day ON bill_line (hospital_id, pay_account_id, date);

-- What is not equal. Explained by one person and, above a limit, approved by another; settled by itself when a later look finds it equal.
CREATE TABLE difference (
    hospital_id    BIGINT NOT NULL,
    id             TEXT   NOT NULL,
    pay_account_id TEXT   NOT NULL,
    date           TEXT   NOT NULL,
    what           TEXT   NOT NULL CHECK (what IN ('payment', 'refund', 'totals')),
    number         TEXT   NOT NULL,
    kind           TEXT   NOT NULL CHECK (kind IN ('theirs_only', 'ours_only', 'differs')),
    provider_no    TEXT,
    ours_fen       BIGINT,
    theirs_fen     BIGINT,
    state          TEXT   NOT NULL CHECK (state IN ('open', 'asked', 'explained', 'settled')),
    note           TEXT,
    explained_by   TEXT,
    approved_by    TEXT,
    opened_at      BIGINT NOT NULL,
    ended_at       BIGINT,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, pay_account_id, date, what, number),
    -- Two people: nobody approves what they explained.
    CHECK (approved_by IS NULL OR approved_by <> explained_by)
);
CREATE INDEX difference_open ON difference (hospital_id, opened_at) WHERE state IN ('open', 'asked');
