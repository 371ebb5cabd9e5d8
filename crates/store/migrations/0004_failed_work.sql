-- What failed for good, for whoever looks after it.
CREATE INDEX event_failure_failed ON event_failure (hospital_id, created_at) WHERE state = 'failed';
CREATE INDEX job_failed ON job (hospital_id, due_at) WHERE state = 'failed';
