-- What to tell whom. One row for a kind, a subject and an account: told twice is told once.
-- due_at: when a worker must look at the row (again); NULL when there is nothing left to do. A worker that takes a row
-- moves it ahead by the time of its lease, so that another takes over when the first one dies.
CREATE TABLE message (
    hospital_id  BIGINT NOT NULL,
    id           TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    subject      TEXT   NOT NULL,
    account_id   TEXT,
    person_id    TEXT,
    lang         TEXT,
    data         TEXT   NOT NULL,
    sealed       TEXT,
    link         TEXT   NOT NULL,
    priority     BIGINT NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'delivered', 'failed', 'unknown', 'expired', 'cancelled')),
    reason       TEXT,
    channel      TEXT,
    delivery_id  TEXT,
    due_at       BIGINT,
    expires_at   BIGINT NOT NULL,
    fence        BIGINT NOT NULL DEFAULT 0,
    attempts     BIGINT NOT NULL DEFAULT 0,
    created_at   BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, kind, subject, account_id)
);
CREATE INDEX message_due ON message (priority, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX message_subject ON message (hospital_id, subject);
CREATE INDEX message_no_way ON message (hospital_id, account_id) WHERE reason = 'no_way';
CREATE INDEX message_old ON message (expires_at);

-- Each attempt. Its id is our reference at the other side: client_msg_id for a template message, out_id for an SMS.
-- over: this way is not tried again for this message.
CREATE TABLE delivery (
    hospital_id        BIGINT NOT NULL,
    id                 TEXT   NOT NULL,
    message_id         TEXT   NOT NULL,
    ordinal            BIGINT NOT NULL,
    channel            TEXT   NOT NULL CHECK (channel IN ('template', 'custom', 'sms')),
    channel_account_id TEXT,
    openid             TEXT,
    lang               TEXT   NOT NULL,
    state              TEXT   NOT NULL CHECK (state IN ('sending', 'sent', 'delivered', 'failed', 'unknown')),
    platform_id        TEXT,
    code               TEXT,
    detail             TEXT,
    over               BIGINT NOT NULL DEFAULT 0 CHECK (over IN (0, 1)),
    tries              BIGINT NOT NULL DEFAULT 0,
    started_at         BIGINT NOT NULL,
    settled_at         BIGINT,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, message_id, ordinal),
    FOREIGN KEY (hospital_id, message_id) REFERENCES message (hospital_id, id)
);
CREATE INDEX delivery_chat ON delivery (hospital_id, openid, started_at) WHERE channel = 'custom';

-- What WeChat said of a template message, by its number. Either side may come first: the answer to the send brings the
-- delivery, the event brings the status.
CREATE TABLE template_receipt (
    hospital_id        BIGINT NOT NULL,
    channel_account_id TEXT   NOT NULL,
    msgid              TEXT   NOT NULL,
    delivery_id        TEXT,
    status             TEXT,
    at                 BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, channel_account_id, msgid)
);
CREATE INDEX template_receipt_old ON template_receipt (at);

-- Which template of an account serves which kind, and which of our arguments goes into which of its fields.
CREATE TABLE template_map (
    hospital_id        BIGINT NOT NULL,
    channel_account_id TEXT   NOT NULL,
    kind               TEXT   NOT NULL,
    template_id        TEXT   NOT NULL,
    fields             TEXT   NOT NULL,
    chosen_by          TEXT   NOT NULL,
    changed_at         BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, channel_account_id, kind)
);

-- A way that is closed for all until a time: a daily quota is used up. channel_account_id is '' for SMS.
CREATE TABLE way_pause (
    hospital_id        BIGINT NOT NULL,
    channel            TEXT   NOT NULL,
    channel_account_id TEXT   NOT NULL,
    until              BIGINT NOT NULL,
    reason             TEXT   NOT NULL,
    PRIMARY KEY (hospital_id, channel, channel_account_id)
);

-- A person whom an account's messages could not reach: not tried for a while, unless the person does something in the chat.
CREATE TABLE unreachable (
    hospital_id        BIGINT NOT NULL,
    channel_account_id TEXT   NOT NULL,
    openid             TEXT   NOT NULL,
    reason             TEXT   NOT NULL,
    at                 BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, channel_account_id, openid)
);
CREATE INDEX unreachable_old ON unreachable (at);

-- The hospital's contract with its SMS vendor.
CREATE TABLE sms_vendor (
    hospital_id BIGINT NOT NULL PRIMARY KEY,
    base_url    TEXT   NOT NULL,
    app_key     TEXT   NOT NULL,
    app_secret  TEXT   NOT NULL,
    sign_zh     TEXT   NOT NULL,
    sign_en     TEXT   NOT NULL,
    changed_at  BIGINT NOT NULL
);

-- How many SMS were sent on a day of the hospital.
CREATE TABLE sms_budget (
    hospital_id BIGINT NOT NULL,
    day         TEXT   NOT NULL,
    used        BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, day)
);
