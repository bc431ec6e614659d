-- Caps in full: customers that are counted once, the moment a cap tripped, and tasks that are
-- closed to new tries. Rows of a cap that several desks share stand under the desk ''.

ALTER TABLE cap_use ADD COLUMN tripped_at INTEGER;
ALTER TABLE reservation ADD COLUMN member TEXT NOT NULL DEFAULT '';

-- One row per customer that a cap counts: `held` reservations are pending, `last_at` is when the
-- newest one settled.
CREATE TABLE cap_member (
  desk TEXT NOT NULL, cap TEXT NOT NULL, scope_key TEXT NOT NULL, member TEXT NOT NULL,
  held INTEGER NOT NULL CHECK (held >= 0), last_at INTEGER,
  PRIMARY KEY (desk, cap, scope_key, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX cap_member_leaving ON cap_member (desk, cap, scope_key, last_at) WHERE held = 0;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('cap_member', 'cap_member', '1000000 1000000 200000 20 1'),
  ('cap_member', 'cap_member_leaving', '1000000 1000000 200000 20 1');
