-- At the desk people are found by their name alone, too: the keyed hash of it, never a part of the name.
CREATE INDEX person_by_name ON person (hospital_id, name_blind);
