-- Money. All amounts are fen. What must never happen is a constraint here, not a check in code.

-- Our contracts with those who move money. merchant: WeChat's mchid, Alipay's seller id, the bureau's code of us. app: the
-- appid that orders are placed under. secrets: keys, sealed. name: the segment of the address that notices come to.
CREATE TABLE pay_account (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    provider    TEXT   NOT NULL CHECK (provider IN ('wechatpay', 'alipay', 'insurance')),
    merchant    TEXT   NOT NULL,
    app         TEXT   NOT NULL,
    base_url    TEXT,
    secrets     TEXT   NOT NULL,
    active      BIGINT NOT NULL DEFAULT 1,
    created_at  BIGINT NOT NULL,
    revision    BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (name)
);

-- What things cost.
CREATE TABLE price (
    hospital_id BIGINT NOT NULL,
    code        TEXT   NOT NULL,
    name_zh     TEXT   NOT NULL,
    name_en     TEXT   NOT NULL,
    price_fen   BIGINT NOT NULL CHECK (price_fen >= 0),
    -- The code in the national catalogue of the insurance.
    insurance_code TEXT,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, code)
);

-- What is owed for one thing: a registration, an exam, a prescription. subject: that thing's id, and there is one live charge
-- for it. served_by: the one payment that the service was given for.
CREATE TABLE charge (
    hospital_id   BIGINT NOT NULL,
    id            TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    subject       TEXT   NOT NULL,
    person_id     TEXT   NOT NULL,
    account_id    TEXT,
    department_id TEXT,
    title_zh      TEXT   NOT NULL,
    title_en      TEXT   NOT NULL,
    total_fen     BIGINT NOT NULL CHECK (total_fen > 0),
    state         TEXT   NOT NULL CHECK (state IN ('open', 'settled', 'returned', 'void')),
    pay_until     BIGINT,
    -- The day of the service: revenue from the next day on, and the day of the reminder.
    due_date      TEXT   NOT NULL,
    remind        BIGINT NOT NULL DEFAULT 0,
    reminded_at   BIGINT,
    done_at       BIGINT,
    recognised_at BIGINT,
    served_by     TEXT,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    CHECK ((state IN ('settled', 'returned')) = (served_by IS NOT NULL))
);
-- What has gone back may be owed anew: a clinic that was called off may take place after all.
CREATE UNIQUE INDEX charge_subject ON charge (hospital_id, kind, subject) WHERE state IN ('open', 'settled');
CREATE INDEX charge_of_subject ON charge (hospital_id, kind, subject);
CREATE INDEX charge_person ON charge (hospital_id, person_id, created_at);
CREATE INDEX charge_remind ON charge (hospital_id, due_date) WHERE remind = 1 AND reminded_at IS NULL AND state = 'settled' AND done_at IS NULL;
CREATE INDEX charge_recognise ON charge (hospital_id, due_date) WHERE state = 'settled' AND recognised_at IS NULL;

CREATE TABLE charge_item (
    hospital_id BIGINT NOT NULL,
    charge_id   TEXT   NOT NULL,
    line        BIGINT NOT NULL,
    code        TEXT   NOT NULL,
    name_zh     TEXT   NOT NULL,
    name_en     TEXT   NOT NULL,
    price_fen   BIGINT NOT NULL CHECK (price_fen >= 0),
    count       BIGINT NOT NULL CHECK (count > 0),
    amount_fen  BIGINT NOT NULL CHECK (amount_fen = price_fen * count),
    PRIMARY KEY (hospital_id, charge_id, line)
);

-- One attempt to pay a charge at one platform or at the desk. number: our order number there, from the first call on the key
-- under which it happens once; never used for anything else. request: the bytes of that call, sent again as they are.
-- effect: what a paid payment was for: the service, or nothing (late, twice), so that it goes back.
CREATE TABLE payment (
    hospital_id    BIGINT NOT NULL,
    id             TEXT   NOT NULL,
    charge_id      TEXT   NOT NULL,
    way            TEXT   NOT NULL,
    pay_account_id TEXT,
    number         TEXT   NOT NULL,
    account_id     TEXT,
    total_fen      BIGINT NOT NULL CHECK (total_fen > 0),
    gov_fen        BIGINT NOT NULL DEFAULT 0 CHECK (gov_fen >= 0),
    own_fen        BIGINT NOT NULL DEFAULT 0 CHECK (own_fen >= 0),
    other_fen      BIGINT NOT NULL DEFAULT 0 CHECK (other_fen >= 0),
    cash_fen       BIGINT NOT NULL CHECK (cash_fen >= 0),
    state          TEXT   NOT NULL CHECK (state IN ('new', 'waiting', 'paid', 'closed')),
    effect         TEXT   CHECK (effect IN ('served', 'surplus')),
    -- What was or is on its way back, whatever its state: never more than was paid.
    returning_fen  BIGINT NOT NULL DEFAULT 0,
    request        TEXT,
    handle         TEXT,
    provider_no    TEXT,
    shift_id       TEXT,
    -- The slip of a card terminal.
    reference      TEXT,
    expires_at     BIGINT NOT NULL,
    closing        BIGINT NOT NULL DEFAULT 0,
    next_at        BIGINT,
    tries          BIGINT NOT NULL DEFAULT 0,
    note           TEXT,
    created_at     BIGINT NOT NULL,
    paid_at        BIGINT,
    PRIMARY KEY (hospital_id, id),
    CHECK (gov_fen + own_fen + other_fen + cash_fen = total_fen),
    CHECK (returning_fen >= 0 AND returning_fen <= total_fen),
    CHECK ((state = 'paid') = (effect IS NOT NULL)),
    CHECK (returning_fen = 0 OR state = 'paid')
);
CREATE UNIQUE INDEX payment_number ON payment (hospital_id, number);
-- One effective payment over all channels.
CREATE UNIQUE INDEX payment_served ON payment (hospital_id, charge_id) WHERE effect = 'served';
CREATE INDEX payment_charge ON payment (hospital_id, charge_id);
CREATE INDEX payment_due ON payment (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX payment_shift ON payment (hospital_id, shift_id) WHERE shift_id IS NOT NULL;

-- What an insured payment needs beside: the bureau's numbers. order_no: our bill number there, the key under which it is settled once.
CREATE TABLE insured (
    hospital_id  BIGINT NOT NULL,
    payment_id   TEXT   NOT NULL,
    order_no     TEXT   NOT NULL,
    pay_auth_no  TEXT   NOT NULL,
    pay_order_id TEXT,
    pay_token    TEXT,
    mix_number   TEXT,
    -- No timer closes what may have been settled.
    settling     BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (hospital_id, payment_id),
    UNIQUE (hospital_id, order_no)
);

-- What goes back of a payment. number: our number of it at the platform. refused ones and ends without success stay as they are; a
-- new try under a new number is a row of its own (again_of).
CREATE TABLE refund (
    hospital_id  BIGINT NOT NULL,
    id           TEXT   NOT NULL,
    payment_id   TEXT   NOT NULL,
    charge_id    TEXT   NOT NULL,
    number       TEXT   NOT NULL,
    amount_fen   BIGINT NOT NULL CHECK (amount_fen > 0),
    gov_fen      BIGINT NOT NULL DEFAULT 0 CHECK (gov_fen >= 0),
    own_fen      BIGINT NOT NULL DEFAULT 0 CHECK (own_fen >= 0),
    other_fen    BIGINT NOT NULL DEFAULT 0 CHECK (other_fen >= 0),
    cash_fen     BIGINT NOT NULL CHECK (cash_fen >= 0),
    reason       TEXT   NOT NULL,
    note         TEXT,
    -- Out of which account of the ledger.
    source       TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('asked', 'wanted', 'sent', 'done', 'closed', 'abnormal', 'stuck', 'declined')),
    insurance    TEXT   NOT NULL CHECK (insurance IN ('none', 'wanted', 'returned', 'told')),
    asked_by     TEXT   NOT NULL,
    approved_by  TEXT,
    again_of     TEXT,
    request      TEXT,
    provider_no  TEXT,
    next_at      BIGINT,
    tries        BIGINT NOT NULL DEFAULT 0,
    error        TEXT,
    created_at   BIGINT NOT NULL,
    sent_at      BIGINT,
    ended_at     BIGINT,
    PRIMARY KEY (hospital_id, id),
    CHECK (gov_fen + own_fen + other_fen + cash_fen = amount_fen),
    -- Two people: nobody approves what they asked for.
    CHECK (approved_by IS NULL OR approved_by <> asked_by)
);
CREATE UNIQUE INDEX refund_number ON refund (hospital_id, number);
CREATE UNIQUE INDEX refund_again ON refund (hospital_id, again_of) WHERE again_of IS NOT NULL;
CREATE INDEX refund_payment ON refund (hospital_id, payment_id);
CREATE INDEX refund_charge ON refund (hospital_id, charge_id);
CREATE INDEX refund_due ON refund (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX refund_open ON refund (hospital_id, state, created_at) WHERE state IN ('asked', 'wanted', 'sent', 'abnormal', 'stuck');

-- What platforms told us, and what the desk did: here before it is acknowledged, and before anything follows from it. said: what it
-- says, without a payer's id. raw: as it came, sealed.
CREATE TABLE observation (
    hospital_id    BIGINT NOT NULL,
    id             TEXT   NOT NULL,
    pay_account_id TEXT   NOT NULL,
    dedup_key      TEXT   NOT NULL,
    source         TEXT   NOT NULL CHECK (source IN ('notice', 'answer', 'query', 'bill', 'desk')),
    number         TEXT   NOT NULL,
    said           TEXT   NOT NULL,
    raw            TEXT,
    received_at    BIGINT NOT NULL,
    state          TEXT   NOT NULL CHECK (state IN ('new', 'applied', 'incident')),
    outcome        TEXT,
    attempts       BIGINT NOT NULL DEFAULT 0,
    due_at         BIGINT NOT NULL,
    leased_until   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, pay_account_id, dedup_key)
);
CREATE INDEX observation_new ON observation (due_at) WHERE state = 'new';
CREATE INDEX observation_number ON observation (hospital_id, number);
CREATE INDEX observation_incident ON observation (hospital_id, received_at) WHERE state = 'incident';

-- The ledger. A row moves an amount from one account to another, so that every transaction sums to zero whatever anybody does.
-- once: what the row is about; nothing is booked twice. Rows are never changed nor deleted (0002_append_only).
CREATE TABLE ledger (
    hospital_id    BIGINT NOT NULL,
    id             TEXT   NOT NULL,
    once           TEXT   NOT NULL,
    at             BIGINT NOT NULL,
    debit          TEXT   NOT NULL,
    credit         TEXT   NOT NULL,
    amount_fen     BIGINT NOT NULL CHECK (amount_fen > 0),
    charge_id      TEXT,
    payment_id     TEXT,
    refund_id      TEXT,
    shift_id       TEXT,
    observation_id TEXT,
    by_whom        TEXT   NOT NULL,
    request_id     TEXT   NOT NULL,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, once),
    CHECK (debit <> credit)
);
CREATE INDEX ledger_at ON ledger (hospital_id, at, id);
CREATE INDEX ledger_debit ON ledger (hospital_id, debit, at);
CREATE INDEX ledger_credit ON ledger (hospital_id, credit, at);
CREATE INDEX ledger_charge ON ledger (hospital_id, charge_id) WHERE charge_id IS NOT NULL;

-- Money that could not be placed: each amount with its reason and, from the first look on, its owner.
CREATE TABLE suspense (
    hospital_id    BIGINT NOT NULL,
    id             TEXT   NOT NULL,
    observation_id TEXT   NOT NULL,
    payment_id     TEXT,
    account        TEXT   NOT NULL,
    number         TEXT   NOT NULL,
    amount_fen     BIGINT NOT NULL CHECK (amount_fen > 0),
    reason         TEXT   NOT NULL CHECK (reason IN ('unknown_order', 'other_amount', 'no_service', 'paid_twice', 'foreign_refund')),
    state          TEXT   NOT NULL CHECK (state IN ('open', 'returning', 'cleared')),
    owner          TEXT,
    opened_at      BIGINT NOT NULL,
    cleared_at     BIGINT,
    cleared_by     TEXT,
    note           TEXT,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, observation_id)
);
CREATE INDEX suspense_open ON suspense (hospital_id, opened_at) WHERE state <> 'cleared';
CREATE INDEX suspense_payment ON suspense (hospital_id, payment_id) WHERE payment_id IS NOT NULL;

-- A cashier's shift. float: what lay in the drawer at its beginning.
CREATE TABLE shift (
    hospital_id    BIGINT NOT NULL,
    id             TEXT   NOT NULL,
    staff_id       TEXT   NOT NULL,
    float_fen      BIGINT NOT NULL CHECK (float_fen >= 0),
    opened_at      BIGINT NOT NULL,
    closed_at      BIGINT,
    expected_fen   BIGINT,
    counted_fen    BIGINT,
    note           TEXT,
    PRIMARY KEY (hospital_id, id)
);
CREATE UNIQUE INDEX shift_open ON shift (hospital_id, staff_id) WHERE closed_at IS NULL;
CREATE INDEX shift_closed ON shift (hospital_id, closed_at);

-- The e-invoice of a charge, made by a provider of our choice: its number and where it can be seen.
CREATE TABLE invoice (
    hospital_id BIGINT NOT NULL,
    charge_id   TEXT   NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('wanted', 'issued', 'reversed')),
    provider    TEXT,
    number      TEXT,
    link        TEXT,
    wanted_at   BIGINT NOT NULL,
    issued_at   BIGINT,
    PRIMARY KEY (hospital_id, charge_id),
    CHECK (state = 'wanted' OR number IS NOT NULL)
);
CREATE INDEX invoice_wanted ON invoice (wanted_at) WHERE state = 'wanted';
