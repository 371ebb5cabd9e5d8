-- Places of a segment beyond its plan: each was added for one person and goes when they give it up. They are part of
-- `capacity`, and templates leave them out of account.
ALTER TABLE slot ADD COLUMN added BIGINT NOT NULL DEFAULT 0 CHECK (added >= 0);
-- How many numbers the doctor (or the triage desk for them) has added to a clinic; the limit is `add_on_limit`.
ALTER TABLE clinic ADD COLUMN add_ons BIGINT NOT NULL DEFAULT 0 CHECK (add_ons >= 0);
