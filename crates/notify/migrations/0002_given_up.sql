-- When somebody gave up telling what could not be told: it is not tried again and not shown any more among what waits for a hand.
ALTER TABLE message ADD COLUMN given_up_at BIGINT;
CREATE INDEX message_untold ON message (hospital_id, changed_at) WHERE state IN ('failed', 'unknown', 'expired') AND given_up_at IS NULL;
