-- Why each hand-off was made, who has taken it, how often it was said, and when it was late.
ALTER TABLE escalation ADD COLUMN cause TEXT NOT NULL DEFAULT 'agent';
ALTER TABLE escalation ADD COLUMN taken_at INTEGER;
ALTER TABLE escalation ADD COLUMN said INTEGER NOT NULL DEFAULT 1;
ALTER TABLE escalation ADD COLUMN overdue_at INTEGER;
CREATE INDEX escalation_of_task ON escalation (desk, task, id) WHERE closed_at IS NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('escalation', 'escalation_of_task', '1000 1000 2 1');
