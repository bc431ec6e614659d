-- A candidate decides beside the active policy; nothing acts on it. At most one runs on a desk.
CREATE TABLE candidate (
  desk TEXT NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, name TEXT NOT NULL,
  body TEXT NOT NULL, started_at INTEGER NOT NULL, started_by TEXT NOT NULL,
  stopped_at INTEGER, stopped_by TEXT,
  PRIMARY KEY (desk, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX candidate_running ON candidate (desk) WHERE stopped_at IS NULL;

-- One row per action that a candidate decides otherwise. A measurement: nothing depends on it.
CREATE TABLE contrast (
  desk TEXT NOT NULL, candidate TEXT NOT NULL, proposal TEXT NOT NULL, kind TEXT NOT NULL,
  at INTEGER NOT NULL, direction TEXT NOT NULL, live_control TEXT NOT NULL,
  live_checkers INTEGER NOT NULL, live_grade INTEGER NOT NULL, live_reasons TEXT NOT NULL,
  control TEXT NOT NULL, checkers INTEGER NOT NULL, grade INTEGER NOT NULL, reasons TEXT NOT NULL,
  PRIMARY KEY (desk, candidate, proposal)
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('candidate', 'candidate', '100 100 1'),
  ('candidate', 'candidate_running', '10 1'),
  ('contrast', 'contrast', '100000 100000 10000 1');
