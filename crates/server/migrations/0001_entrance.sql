-- What WeChat has pushed to us, one row for a push however often it came. It stands here before WeChat gets its answer.
-- body: the opened message, sealed. attempts goes up each time a worker takes the row, and is also what a worker shows to
-- prove that it still has it. A row is free when due_at and leased_until are both over.
CREATE TABLE wechat_push (
    hospital_id        BIGINT NOT NULL,
    id                 TEXT   NOT NULL,
    channel_account_id TEXT   NOT NULL,
    dedup_key          TEXT   NOT NULL,
    kind               TEXT   NOT NULL,
    openid             TEXT   NOT NULL,
    received_at        BIGINT NOT NULL,
    body               TEXT   NOT NULL,
    state              TEXT   NOT NULL CHECK (state IN ('new', 'done', 'failed')),
    attempts           BIGINT NOT NULL DEFAULT 0,
    due_at             BIGINT NOT NULL,
    leased_until       BIGINT NOT NULL DEFAULT 0,
    error              TEXT,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, channel_account_id, dedup_key)
);
-- What waits, oldest first; and whether an older one of the same person is being worked on.
CREATE INDEX wechat_push_waiting ON wechat_push (received_at, id) WHERE state = 'new';
CREATE INDEX wechat_push_order ON wechat_push (hospital_id, channel_account_id, openid, received_at) WHERE state = 'new';
-- What is swept away.
CREATE INDEX wechat_push_done ON wechat_push (received_at) WHERE state = 'done';
CREATE INDEX wechat_push_failed ON wechat_push (received_at) WHERE state = 'failed';
