-- A place on hold says for what: 'payment' until it is paid, 'waitlist' until who was offered it says yes. `confirmed_at` is
-- when the hold became a booking; NULL for who never had to confirm, and for a hold that came to nothing.
ALTER TABLE appointment ADD COLUMN hold_for TEXT
    CHECK (state <> 'held' OR (hold_until IS NOT NULL AND hold_for IN ('payment', 'waitlist')));
ALTER TABLE appointment ADD COLUMN confirmed_at BIGINT;
