-- That a person was shown a version of an action, and when they decided it. Not in the log: it is
-- about the time of people, and nothing that ran depends on it later.
CREATE TABLE look (
  desk TEXT NOT NULL, proposal TEXT NOT NULL, statement TEXT NOT NULL, person TEXT NOT NULL,
  first_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, dwell_ms INTEGER NOT NULL,
  taken_until INTEGER, decided_at INTEGER, verdict TEXT,
  PRIMARY KEY (desk, proposal, statement, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX look_by_person ON look (desk, person, decided_at) WHERE decided_at IS NOT NULL;
CREATE INDEX look_decided ON look (desk, decided_at) WHERE decided_at IS NOT NULL;
CREATE INDEX look_seen ON look (desk, seen_at);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('look', 'look', '100000 100000 2 2 1'),
  ('look', 'look_by_person', '100000 100000 5000 1'),
  ('look', 'look_decided', '100000 100000 1'),
  ('look', 'look_seen', '100000 100000 1');
