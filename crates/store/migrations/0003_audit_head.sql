-- Where the chain of each hospital ends, so that entries cut off at its end are missed.
CREATE TABLE audit_head (
    hospital_id BIGINT NOT NULL PRIMARY KEY,
    link        BIGINT NOT NULL,
    hash        TEXT   NOT NULL
);
