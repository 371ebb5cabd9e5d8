-- Whoever holds a phone. Language: 'default' until anybody said something, 'browser' guessed, 'chosen' by the person.
CREATE TABLE account (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    lang        TEXT   NOT NULL CHECK (lang IN ('zh', 'en')),
    lang_source TEXT   NOT NULL CHECK (lang_source IN ('default', 'browser', 'chosen')),
    elder       BIGINT NOT NULL DEFAULT 0 CHECK (elder IN (0, 1)),
    created_at  BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id)
);

-- The phone that an account has proven to hold; a phone belongs to one account.
CREATE TABLE account_phone (
    hospital_id BIGINT NOT NULL,
    phone_blind TEXT   NOT NULL,
    account_id  TEXT   NOT NULL,
    phone       TEXT   NOT NULL,
    masked      TEXT   NOT NULL,
    verified_at BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, phone_blind),
    UNIQUE (hospital_id, account_id),
    FOREIGN KEY (hospital_id, account_id) REFERENCES account (hospital_id, id)
);

-- Our own WeChat accounts. The name is a segment of the callback's address and so unique over all hospitals.
CREATE TABLE channel_account (
    hospital_id      BIGINT NOT NULL,
    id               TEXT   NOT NULL,
    name             TEXT   NOT NULL UNIQUE,
    kind             TEXT   NOT NULL CHECK (kind IN ('service', 'subscription', 'mini', 'wecom')),
    app_id           TEXT   NOT NULL,
    original_id      TEXT   NOT NULL,
    mode             TEXT   NOT NULL CHECK (mode IN ('plain', 'compatible', 'safe', 'wecom')),
    format           TEXT   NOT NULL CHECK (format IN ('xml', 'json')),
    secret           TEXT   NOT NULL,
    token            TEXT   NOT NULL,
    aes_key          TEXT,
    aes_key_previous TEXT,
    bases            TEXT,
    js_sdk_url       TEXT,
    verify_files     TEXT   NOT NULL,
    created_at       BIGINT NOT NULL,
    revision         BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id)
);

-- A person's identity with one of our WeChat accounts.
CREATE TABLE account_openid (
    hospital_id       BIGINT NOT NULL,
    channel_id        TEXT   NOT NULL,
    openid            TEXT   NOT NULL,
    account_id        TEXT   NOT NULL,
    following         BIGINT NOT NULL DEFAULT 0 CHECK (following IN (0, 1)),
    follow_changed_at BIGINT NOT NULL DEFAULT 0,
    scene             TEXT,
    last_active_at    BIGINT,
    last_message_at   BIGINT,
    created_at        BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, channel_id, openid),
    FOREIGN KEY (hospital_id, account_id) REFERENCES account (hospital_id, id),
    FOREIGN KEY (hospital_id, channel_id) REFERENCES channel_account (hospital_id, id)
);
CREATE INDEX account_openid_account ON account_openid (hospital_id, account_id);

-- Tokens of our WeChat accounts, shared by all nodes: see wechat::api::token.
CREATE TABLE wechat_token (
    hospital_id  BIGINT NOT NULL,
    base         TEXT   NOT NULL,
    app_id       TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    token        TEXT,
    fetched_at   BIGINT,
    expires_in_s BIGINT,
    forced_at    BIGINT,
    fence        BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, base, app_id, kind)
);

-- Whoever is treated. Name and phone are sealed; the masked forms are for lists, the keyed hashes for look-up.
CREATE TABLE person (
    hospital_id  BIGINT NOT NULL,
    id           TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    name_masked  TEXT   NOT NULL,
    name_blind   TEXT   NOT NULL,
    birth_date   TEXT,
    sex          TEXT   NOT NULL CHECK (sex IN ('male', 'female', 'unknown')),
    phone        TEXT,
    phone_masked TEXT,
    phone_blind  TEXT,
    source       TEXT   NOT NULL CHECK (source IN ('account', 'hospital')),
    verified_at  BIGINT,
    created_at   BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id)
);
CREATE INDEX person_look_up ON person (hospital_id, phone_blind, name_blind) WHERE phone_blind IS NOT NULL;

-- A document is one person's. `tail_blind` answers "which one ends in these four characters" without opening the number.
CREATE TABLE person_document (
    hospital_id   BIGINT NOT NULL,
    id            TEXT   NOT NULL,
    person_id     TEXT   NOT NULL,
    kind          TEXT   NOT NULL CHECK (kind IN ('resident_id', 'hk_macau_permit', 'taiwan_permit', 'hmt_residence_permit',
                      'foreign_permanent_resident', 'passport', 'birth_certificate')),
    country       TEXT,
    number        TEXT   NOT NULL,
    number_masked TEXT   NOT NULL,
    number_blind  TEXT   NOT NULL,
    tail_blind    TEXT   NOT NULL,
    is_main       BIGINT NOT NULL CHECK (is_main IN (0, 1)),
    created_at    BIGINT NOT NULL,
    voided_at     BIGINT,
    voided_by     TEXT,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, person_id) REFERENCES person (hospital_id, id)
);
CREATE UNIQUE INDEX person_document_number ON person_document (hospital_id, number_blind) WHERE voided_at IS NULL;
CREATE UNIQUE INDEX person_document_main ON person_document (hospital_id, person_id) WHERE voided_at IS NULL AND is_main = 1;

-- The tie between an account and a person. Never deleted: voided with when and by whom.
CREATE TABLE binding (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    account_id  TEXT   NOT NULL,
    person_id   TEXT   NOT NULL,
    relation    TEXT   NOT NULL CHECK (relation IN ('self', 'child', 'spouse', 'parent', 'other')),
    is_default  BIGINT NOT NULL CHECK (is_default IN (0, 1)),
    bound_at    BIGINT NOT NULL,
    voided_at   BIGINT,
    voided_by   TEXT,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, account_id) REFERENCES account (hospital_id, id),
    FOREIGN KEY (hospital_id, person_id) REFERENCES person (hospital_id, id)
);
CREATE UNIQUE INDEX binding_live ON binding (hospital_id, account_id, person_id) WHERE voided_at IS NULL;
CREATE UNIQUE INDEX binding_default ON binding (hospital_id, account_id) WHERE voided_at IS NULL AND is_default = 1;
CREATE UNIQUE INDEX binding_holder ON binding (hospital_id, account_id) WHERE voided_at IS NULL AND relation = 'self';
CREATE INDEX binding_person ON binding (hospital_id, person_id) WHERE voided_at IS NULL;

-- What was agreed to, in which wording and language.
CREATE TABLE consent (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    account_id  TEXT   NOT NULL,
    person_id   TEXT,
    kind        TEXT   NOT NULL CHECK (kind IN ('personal_data', 'guardian')),
    version     TEXT   NOT NULL,
    lang        TEXT   NOT NULL CHECK (lang IN ('zh', 'en')),
    given_at    BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, account_id) REFERENCES account (hospital_id, id)
);
CREATE INDEX consent_person ON consent (hospital_id, person_id, given_at);
CREATE INDEX consent_account ON consent (hospital_id, account_id, given_at);

-- Codes that were sent by SMS. The code itself is nowhere: only its keyed hash. `account_id` is '' for signing in.
CREATE TABLE sms_code (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    phone_blind TEXT   NOT NULL,
    purpose     TEXT   NOT NULL CHECK (purpose IN ('sign_in', 'person')),
    account_id  TEXT   NOT NULL,
    code_hash   TEXT   NOT NULL,
    sent_at     BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    tries       BIGINT NOT NULL DEFAULT 0,
    used_at     BIGINT,
    used_for    TEXT,
    PRIMARY KEY (hospital_id, id)
);
CREATE INDEX sms_code_newest ON sms_code (hospital_id, phone_blind, purpose, account_id, sent_at);
CREATE INDEX sms_code_age ON sms_code (expires_at);

-- How often something was done in a window that began with its first time. `who` is a keyed hash or an id.
CREATE TABLE usage_limit (
    hospital_id BIGINT NOT NULL,
    scope       TEXT   NOT NULL,
    who         TEXT   NOT NULL,
    used        BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, scope, who)
);
CREATE INDEX usage_limit_age ON usage_limit (ends_at);

-- Returns from WeChat's sign-in page. A state and a code work once; a browser that asks twice gets the same session.
CREATE TABLE wechat_return (
    hospital_id BIGINT NOT NULL,
    state       TEXT   NOT NULL,
    code_hash   TEXT   NOT NULL,
    token       TEXT,
    problem     TEXT,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, state),
    UNIQUE (hospital_id, code_hash)
);
CREATE INDEX wechat_return_age ON wechat_return (created_at);
