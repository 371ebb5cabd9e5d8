-- How a ticket's place is to be paid: online, it is kept for payment when it is had; or at the counter.
ALTER TABLE rush_ticket ADD COLUMN pay TEXT NOT NULL DEFAULT 'counter' CHECK (pay IN ('counter', 'online'));
