-- Cards by which a person is known at counters and machines. Sealed, with a masked form and a keyed hash, like documents.
-- seen_at: when the hospital itself had the card in hand. What only the phone's holder typed identifies nobody at a machine.
CREATE TABLE card (
    hospital_id   BIGINT NOT NULL,
    id            TEXT   NOT NULL,
    person_id     TEXT   NOT NULL,
    kind          TEXT   NOT NULL CHECK (kind IN ('visit', 'insurance')),
    number        TEXT   NOT NULL,
    number_masked TEXT   NOT NULL,
    number_blind  TEXT   NOT NULL,
    bound_by      TEXT   NOT NULL,
    bound_at      BIGINT NOT NULL,
    seen_at       BIGINT,
    voided_at     BIGINT,
    voided_by     TEXT,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, person_id) REFERENCES person (hospital_id, id)
);
-- A card is one person's, and a person has one of a kind: a new card takes the place of the old one.
CREATE UNIQUE INDEX card_number ON card (hospital_id, kind, number_blind) WHERE voided_at IS NULL;
CREATE UNIQUE INDEX card_of_person ON card (hospital_id, person_id, kind) WHERE voided_at IS NULL;

-- Children who have come of age: their guardians were told, and hold the record until ends_at unless the person says otherwise.
CREATE TABLE hand_over (
    hospital_id BIGINT NOT NULL,
    person_id   TEXT   NOT NULL,
    told_at     BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL,
    ended_at    BIGINT,
    PRIMARY KEY (hospital_id, person_id),
    FOREIGN KEY (hospital_id, person_id) REFERENCES person (hospital_id, id)
);
CREATE INDEX hand_over_due ON hand_over (ends_at) WHERE ended_at IS NULL;

-- merged_into: this record was one too many; the other one counts. locked_at: deleted on request; kept, closed, until
-- purge_after, the end of the time for which the law asks records to be kept.
ALTER TABLE person ADD COLUMN merged_into TEXT;
ALTER TABLE person ADD COLUMN locked_at BIGINT;
ALTER TABLE person ADD COLUMN purge_after TEXT;
CREATE INDEX person_purge ON person (purge_after) WHERE purge_after IS NOT NULL;
CREATE INDEX person_birth ON person (hospital_id, birth_date);
CREATE INDEX person_phone ON person (hospital_id, phone_blind) WHERE phone_blind IS NOT NULL;

-- Two records that were one patient. moved: the ids of what changed hands, so that it can go back.
CREATE TABLE person_merge (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    kept_id     TEXT   NOT NULL,
    gone_id     TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    moved       TEXT   NOT NULL,
    merged_by   TEXT   NOT NULL,
    merged_at   BIGINT NOT NULL,
    undone_by   TEXT,
    undone_at   BIGINT,
    PRIMARY KEY (hospital_id, id),
    CHECK (kept_id <> gone_id),
    FOREIGN KEY (hospital_id, kept_id) REFERENCES person (hospital_id, id),
    FOREIGN KEY (hospital_id, gone_id) REFERENCES person (hospital_id, id)
);
CREATE UNIQUE INDEX person_merge_gone ON person_merge (hospital_id, gone_id) WHERE undone_at IS NULL;
CREATE INDEX person_merge_kept ON person_merge (hospital_id, kept_id) WHERE undone_at IS NULL;
