-- The check of a reservation's state as a chain of OR: for `IN` of more than two, SQLite builds a
-- small table each time that a row is written. A check cannot be changed, so the table is made anew.
CREATE TABLE reservation_anew (
  desk TEXT NOT NULL, cap TEXT NOT NULL, scope_key TEXT NOT NULL, proposal TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  state TEXT NOT NULL CHECK (state = 'pending' OR state = 'posted' OR state = 'voided'),
  reserved_at INTEGER NOT NULL, settled_at INTEGER, counted INTEGER NOT NULL,
  member TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (desk, proposal, cap)
) STRICT, WITHOUT ROWID;
INSERT INTO reservation_anew (desk, cap, scope_key, proposal, amount, state, reserved_at, settled_at,
                              counted, member)
  SELECT desk, cap, scope_key, proposal, amount, state, reserved_at, settled_at, counted, member
  FROM reservation;
DROP TABLE reservation;
ALTER TABLE reservation_anew RENAME TO reservation;
CREATE INDEX reservation_leaving ON reservation (desk, cap, scope_key, settled_at)
  WHERE counted = 1 AND state = 'posted';
DELETE FROM sqlite_stat1 WHERE tbl = 'reservation';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('reservation', 'reservation', '1000000 1000000 2 1'),
  ('reservation', 'reservation_leaving', '1000000 1000000 200000 20 1');
