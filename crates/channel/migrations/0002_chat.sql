-- What the chat says to words, and to who begins to follow. words: a JSON list; whole: the message must be one of them, else it
-- is enough that a short message holds one. What is removed stays, with when and by whom.
CREATE TABLE chat_reply (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    kind        TEXT   NOT NULL CHECK (kind IN ('keyword', 'welcome')),
    words       TEXT   NOT NULL,
    whole       BIGINT NOT NULL CHECK (whole IN (0, 1)),
    body_zh     TEXT   NOT NULL,
    body_en     TEXT   NOT NULL,
    request_key TEXT   NOT NULL,
    changed_by  TEXT   NOT NULL,
    changed_at  BIGINT NOT NULL,
    removed_at  BIGINT,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, request_key)
);
CREATE UNIQUE INDEX chat_welcome ON chat_reply (hospital_id) WHERE kind = 'welcome' AND removed_at IS NULL;

-- The menu for everybody, and the one for those who chose English. published_at: when WeChat last took it as it stands here.
CREATE TABLE chat_menu (
    hospital_id  BIGINT NOT NULL,
    audience     TEXT   NOT NULL CHECK (audience IN ('all', 'en')),
    body         TEXT   NOT NULL,
    changed_by   TEXT   NOT NULL,
    changed_at   BIGINT NOT NULL,
    published_at BIGINT,
    PRIMARY KEY (hospital_id, audience)
);

-- WeChat's numbers: of the tag for those who chose English, and of their menu.
CREATE TABLE chat_tag (
    hospital_id BIGINT NOT NULL,
    channel_id  TEXT   NOT NULL,
    audience    TEXT   NOT NULL CHECK (audience IN ('en')),
    tag_id      BIGINT NOT NULL,
    menu_id     TEXT,
    PRIMARY KEY (hospital_id, channel_id, audience)
);

-- How many began and ceased to follow on a day.
CREATE TABLE follow_day (
    hospital_id BIGINT NOT NULL,
    day         TEXT   NOT NULL,
    followed    BIGINT NOT NULL,
    unfollowed  BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, day)
);

-- How far an account has come: each step the first time. came_by: the code's scene.
CREATE TABLE funnel (
    hospital_id BIGINT NOT NULL,
    account_id  TEXT   NOT NULL,
    followed_at BIGINT,
    bound_at    BIGINT,
    booked_at   BIGINT,
    returned_at BIGINT,
    PRIMARY KEY (hospital_id, account_id)
);
CREATE INDEX funnel_followed ON funnel (hospital_id, followed_at);

-- Bookings of a day by department and by the way they came.
CREATE TABLE visit_day (
    hospital_id   BIGINT NOT NULL,
    day           TEXT   NOT NULL,
    department_id TEXT   NOT NULL,
    way           TEXT   NOT NULL,
    booked        BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, day, department_id, way)
);
