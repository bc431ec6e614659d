-- Who took an approval back may give it again: the turn counts what one person said about one
-- statement. A rejection names its ground.
ALTER TABLE review ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE review ADD COLUMN ground TEXT;
DROP INDEX review_once;
CREATE UNIQUE INDEX review_once ON review (desk, proposal, identity, statement, turn);
DELETE FROM sqlite_stat1 WHERE tbl = 'review' AND idx = 'review_once';

-- When a person asked for changes.
ALTER TABLE proposal ADD COLUMN sent_back_at INTEGER;

-- What an agent's action of a kind is compared with: those like it that people passed.
CREATE INDEX proposal_passed ON proposal (desk, kind, agent, id)
  WHERE state = 'SUCCEEDED' AND control IN ('approve', 'maker_checker');

-- What a person has put off: theirs alone, and gone by itself.
CREATE TABLE snooze (
  desk TEXT NOT NULL, person TEXT NOT NULL, proposal TEXT NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (desk, person, proposal)
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('review', 'review_once', '300000 300000 2 1 1 1'),
  ('proposal', 'proposal_passed', '200000 200000 20000 10000 1'),
  ('snooze', 'snooze', '1000 1000 20 1');
