-- A database that is made now has these pairs already.
INSERT INTO transition (before, after) VALUES ('READY', 'PENDING'), ('HOLDING', 'PENDING')
  ON CONFLICT (before, after) DO NOTHING;

-- How often an action was put to a person anew after it had been allowed.
ALTER TABLE proposal ADD COLUMN rounds INTEGER NOT NULL DEFAULT 0;

-- Somebody who approved an earlier round may approve, or reject, what the action has become.
DROP INDEX review_once;
CREATE UNIQUE INDEX review_once ON review (desk, proposal, identity, statement);
DELETE FROM sqlite_stat1 WHERE tbl = 'review' AND idx = 'review_once';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('review', 'review_once', '300000 300000 2 1 1');
