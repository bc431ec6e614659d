-- From which backups a desk's log went on, and which signed checkpoints it departs from.
CREATE TABLE restoration (
  desk TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, size INTEGER NOT NULL,
  root TEXT NOT NULL, departed TEXT NOT NULL, restored_by TEXT NOT NULL, confirmed_by TEXT NOT NULL,
  note TEXT NOT NULL, done_at INTEGER,
  PRIMARY KEY (desk, id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER restoration_ends BEFORE UPDATE ON restoration WHEN OLD.done_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a restoration that is done is never changed'); END;
CREATE TRIGGER restoration_stays BEFORE DELETE ON restoration
BEGIN SELECT RAISE(ABORT, 'a restoration is never deleted'); END;

-- What waited in a backup may have run after it.
INSERT INTO transition (before, after)
VALUES ('PENDING', 'UNKNOWN'), ('HOLDING', 'UNKNOWN'), ('READY', 'UNKNOWN')
ON CONFLICT (before, after) DO NOTHING;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('restoration', 'restoration', '10 10 1');
