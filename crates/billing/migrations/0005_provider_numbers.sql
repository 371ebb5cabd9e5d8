-- A payer at the counter shows the platform's number: the cashier's office finds the bill by it.
CREATE INDEX payment_provider_no ON payment (hospital_id, provider_no) WHERE provider_no IS NOT NULL;
CREATE INDEX refund_provider_no ON refund (hospital_id, provider_no) WHERE provider_no IS NOT NULL;
