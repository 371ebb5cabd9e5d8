-- A job that is asked for once more while it runs is done again at this time.
ALTER TABLE job ADD COLUMN again_at BIGINT;
