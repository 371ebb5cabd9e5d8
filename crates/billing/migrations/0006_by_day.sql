-- A day's payments of a contract and its refunds are found by when they happened, however many other days there are.
CREATE INDEX payment_paid ON payment (hospital_id, pay_account_id, paid_at) WHERE state = 'paid';
CREATE INDEX refund_sent ON refund (hospital_id, sent_at) WHERE sent_at IS NOT NULL;
-- The instants between which the day lies in its hospital, so that whoever looks at closed days needs no calendar.
ALTER TABLE bill_day ADD COLUMN starts_at BIGINT;
ALTER TABLE bill_day ADD COLUMN ends_at BIGINT;
