-- Who works here. The login is the lower-case form; the name is sealed, the masked form is for lists. A password is an
-- Argon2id hash ('own'), or the keyed hash of a code that is good once and until `password_ends_at` ('code').
CREATE TABLE staff (
    hospital_id      BIGINT NOT NULL,
    id               TEXT   NOT NULL,
    login            TEXT   NOT NULL,
    name             TEXT   NOT NULL,
    name_masked      TEXT   NOT NULL,
    name_blind       TEXT   NOT NULL,
    state            TEXT   NOT NULL CHECK (state IN ('active', 'locked', 'disabled')),
    doctor_id        TEXT,
    wecom_userid     TEXT,
    password         TEXT,
    password_kind    TEXT   CHECK (password_kind IN ('own', 'code')),
    password_ends_at BIGINT,
    totp             TEXT,
    totp_step        BIGINT NOT NULL DEFAULT 0,
    set_up_at        BIGINT,
    signed_in_at     BIGINT,
    created_at       BIGINT NOT NULL,
    changed_at       BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, login),
    CHECK ((password IS NULL) = (password_kind IS NULL))
);
CREATE UNIQUE INDEX staff_wecom ON staff (hospital_id, wecom_userid) WHERE wecom_userid IS NOT NULL;

-- The roles of staff. Nobody holds two of the three administrators' (level 3 protection).
CREATE TABLE staff_role (
    hospital_id BIGINT NOT NULL,
    staff_id    TEXT   NOT NULL,
    role        TEXT   NOT NULL CHECK (role IN ('system_admin', 'security_admin', 'audit_admin', 'operations', 'triage', 'nurse',
                    'doctor', 'finance', 'experience', 'director')),
    given_at    BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, staff_id, role),
    FOREIGN KEY (hospital_id, staff_id) REFERENCES staff (hospital_id, id)
);
CREATE UNIQUE INDEX staff_role_apart ON staff_role (hospital_id, staff_id)
    WHERE role IN ('system_admin', 'security_admin', 'audit_admin');
CREATE INDEX staff_role_who ON staff_role (hospital_id, role, staff_id);

-- The departments that somebody's work is limited to; none means all.
CREATE TABLE staff_department (
    hospital_id   BIGINT NOT NULL,
    staff_id      TEXT   NOT NULL,
    department_id TEXT   NOT NULL,
    PRIMARY KEY (hospital_id, staff_id, department_id),
    FOREIGN KEY (hospital_id, staff_id) REFERENCES staff (hospital_id, id)
);

-- Codes for who has lost the second factor, each good once. Only their keyed hashes are kept.
CREATE TABLE staff_recovery (
    hospital_id BIGINT NOT NULL,
    staff_id    TEXT   NOT NULL,
    code_hash   TEXT   NOT NULL,
    used_at     BIGINT,
    PRIMARY KEY (hospital_id, staff_id, code_hash),
    FOREIGN KEY (hospital_id, staff_id) REFERENCES staff (hospital_id, id)
);

-- Where somebody stands between the first and the last step of signing in, or of changing the second factor. `id` is the keyed hash of
-- what the browser holds; what was chosen on the way (a password, a secret) waits here until the last step makes it good.
CREATE TABLE staff_ticket (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    staff_id    TEXT   NOT NULL,
    step        TEXT   NOT NULL CHECK (step IN ('new_password', 'enrol', 'second_factor', 'renew')),
    channel     TEXT   NOT NULL CHECK (channel IN ('password', 'wecom')),
    code        TEXT,
    password    TEXT,
    totp        TEXT,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, staff_id) REFERENCES staff (hospital_id, id)
);
CREATE INDEX staff_ticket_age ON staff_ticket (expires_at);

-- Wrong tries to sign in, by login and by address, known or not. `who` is a keyed hash.
CREATE TABLE staff_try (
    hospital_id  BIGINT NOT NULL,
    scope        TEXT   NOT NULL CHECK (scope IN ('login', 'address')),
    who          TEXT   NOT NULL,
    tries        BIGINT NOT NULL,
    since        BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, scope, who)
);
CREATE INDEX staff_try_age ON staff_try (since);
