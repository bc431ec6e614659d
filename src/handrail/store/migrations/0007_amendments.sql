-- Proposed policies of a desk: what would be activated, whole, and what was said of it.
CREATE TABLE amendment (
  desk TEXT NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, name TEXT NOT NULL,
  version INTEGER NOT NULL, body TEXT NOT NULL, base TEXT NOT NULL,
  looser INTEGER NOT NULL, tighter INTEGER NOT NULL, state TEXT NOT NULL
    CHECK (state IN ('proposed', 'approved', 'activated', 'rejected')),
  proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL, approved_by TEXT,
  approved_at INTEGER, ready_at INTEGER, closed_by TEXT, closed_at INTEGER,
  PRIMARY KEY (desk, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX amendment_open ON amendment (desk, id) WHERE closed_at IS NULL;
CREATE TRIGGER amendment_ends BEFORE UPDATE ON amendment WHEN OLD.closed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a proposed policy that has ended is never changed'); END;
CREATE TRIGGER amendment_stays BEFORE DELETE ON amendment
BEGIN SELECT RAISE(ABORT, 'a proposed policy is never deleted'); END;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('amendment', 'amendment', '1000 1000 1'),
  ('amendment', 'amendment_open', '10 10 1');
