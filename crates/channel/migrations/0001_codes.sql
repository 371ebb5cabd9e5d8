-- Codes that people scan. scene: what WeChat tells us of a scan, and the end of the plain address; random, so that nobody
-- can guess one. ticket and url are WeChat's, once it has made the code; until then, and where there is no WeChat account,
-- the plain address stands in the picture.
CREATE TABLE code (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    scene       TEXT   NOT NULL,
    purpose     TEXT   NOT NULL CHECK (purpose IN ('doctor', 'department', 'place', 'poster', 'wifi', 'enrolment')),
    target      TEXT,
    path        TEXT   NOT NULL,
    name_zh     TEXT   NOT NULL,
    name_en     TEXT   NOT NULL,
    wifi        TEXT,
    request_key TEXT   NOT NULL,
    ticket      TEXT,
    url         TEXT,
    created_by  TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    closed_at   BIGINT,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, scene),
    UNIQUE (hospital_id, request_key)
);
-- A doctor has one code, and a department: WeChat gives 100,000 permanent ones in all and none back.
CREATE UNIQUE INDEX code_target ON code (hospital_id, purpose, target) WHERE closed_at IS NULL AND purpose IN ('doctor', 'department');
CREATE INDEX code_list ON code (hospital_id, created_at) WHERE purpose <> 'enrolment';

-- Who came by a code. is_new: they began to follow with this scan. Of a plain browser nobody knows who it is.
CREATE TABLE code_scan (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    code_id     TEXT   NOT NULL,
    day         TEXT   NOT NULL,
    way         TEXT   NOT NULL CHECK (way IN ('wechat', 'browser')),
    account_id  TEXT,
    is_new      BIGINT NOT NULL CHECK (is_new IN (0, 1)),
    at          BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, code_id) REFERENCES code (hospital_id, id)
);
CREATE INDEX code_scan_code ON code_scan (hospital_id, code_id, day);

-- A person who is to be bound to whoever scans first. open -> claimed by one account -> bound, or ended by staff. The account
-- that claimed it keeps it; the code is worth nothing to anybody else. wrong: how often another name was given for the person's.
CREATE TABLE enrolment (
    hospital_id     BIGINT NOT NULL,
    id              TEXT   NOT NULL,
    person_id       TEXT   NOT NULL,
    code_id         TEXT   NOT NULL,
    door            TEXT   NOT NULL CHECK (door IN ('kiosk', 'desk')),
    proxy           BIGINT NOT NULL CHECK (proxy IN (0, 1)),
    consent_version TEXT   NOT NULL,
    started_by      TEXT   NOT NULL,
    started_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    state           TEXT   NOT NULL CHECK (state IN ('open', 'claimed', 'bound', 'ended')),
    account_id      TEXT,
    claimed_at      BIGINT,
    bound_at        BIGINT,
    wrong           BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, code_id),
    CHECK ((state IN ('claimed', 'bound')) = (account_id IS NOT NULL)),
    FOREIGN KEY (hospital_id, code_id) REFERENCES code (hospital_id, id)
);
