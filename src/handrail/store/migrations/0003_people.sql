-- Whom an agent acts for; a person's address as a keyed hash, the customer accounts of their own,
-- when they were last given more, and what stood before until when.
ALTER TABLE principal ADD COLUMN delegator TEXT;
ALTER TABLE principal ADD COLUMN mail TEXT;
ALTER TABLE principal ADD COLUMN subjects TEXT NOT NULL DEFAULT '[]';
ALTER TABLE principal ADD COLUMN granted_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE principal ADD COLUMN former TEXT NOT NULL DEFAULT '{}';

-- What an edit replaces, and what took its place; who was drawn to check.
ALTER TABLE proposal ADD COLUMN supersedes TEXT;
ALTER TABLE proposal ADD COLUMN superseded_by TEXT;
ALTER TABLE proposal ADD COLUMN assigned TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN assign_by INTEGER;
ALTER TABLE proposal ADD COLUMN recused TEXT NOT NULL DEFAULT '';
CREATE INDEX proposal_drawn ON proposal (desk, id) WHERE state = 'PENDING' AND assign_by IS NOT NULL;

CREATE TABLE breakglass (
  desk TEXT NOT NULL, id TEXT NOT NULL, person TEXT NOT NULL, span_ms INTEGER NOT NULL,
  asked_at INTEGER NOT NULL, confirmed_by TEXT, opened_at INTEGER, expires_at INTEGER,
  closed_at INTEGER, closed_by TEXT,
  PRIMARY KEY (desk, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX breakglass_open ON breakglass (desk, id) WHERE closed_at IS NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('proposal', 'proposal_drawn', '100 100 1'),
  ('breakglass', 'breakglass', '1000 1000 1'),
  ('breakglass', 'breakglass_open', '10 10 1');
