-- Why each hand-off was made, who has taken it, how often it was said, and when it was late.
ALTER TABLE escalation ADD COLUMN cause TEXT NOT NULL DEFAULT 'agent';
ALTER TABLE escalation ADD COLUMN taken_at INTEGER;
ALTER TABLE escalation ADD COLUMN said INTEGER NOT NULL DEFAULT 1;
ALTER TABLE escalation ADD COLUMN overdue_at INTEGER;
CREATE INDEX escalation_of_task ON escalation (desk, task, id) WHERE closed_at IS NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('escalation', 'escalation_of_task', '1000 1000 2 1');

CREATE TABLE halt (
  desk TEXT NOT NULL, id TEXT NOT NULL, scope TEXT NOT NULL, target TEXT NOT NULL,
  pulled_by TEXT NOT NULL, pulled_at INTEGER NOT NULL, lifted_by TEXT, lifted_at INTEGER,
  PRIMARY KEY (desk, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX halt_active ON halt (desk, scope, target) WHERE lifted_at IS NULL;
CREATE TRIGGER halt_stays BEFORE DELETE ON halt
BEGIN SELECT RAISE(ABORT, 'a halt is never deleted'); END;

-- The tokens that still count, for ending all of an agent's, and for counting them.
CREATE INDEX task_open ON task (desk, agent, expires_at, id) WHERE revoked_at IS NULL;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('halt', 'halt', '1000 1000 1'),
  ('halt', 'halt_active', '10 10 2 1'),
  ('task', 'task', '1000000 1000000 1'),
  ('task', 'task_open', '1000000 1000000 100000 1 1');
