-- What else a ticket says of time: JSON, a gate.Validity. NULL says nothing.
ALTER TABLE records ADD COLUMN terms TEXT;
