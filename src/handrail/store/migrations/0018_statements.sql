-- What writing an action costs SQLite beside the row itself.
--
-- For `state IN (...)` of more than two it builds a small table, each time a row is written, for
-- each index that says it, and for the row before as for the row after. A chain of OR is compared.
-- IS TRUE keeps the planner from taking such an index for a query of one state alone.
DROP INDEX proposal_open;
CREATE INDEX proposal_open ON proposal (state, desk, id)
  WHERE (state = 'READY' OR state = 'EXECUTING' OR state = 'UNKNOWN' OR state = 'HOLDING') IS TRUE;
DROP INDEX proposal_same;
CREATE INDEX proposal_same ON proposal (desk, fingerprint, id)
  WHERE grade > 0
    AND (state = 'PENDING' OR state = 'HOLDING' OR state = 'READY' OR state = 'EXECUTING'
         OR state = 'UNKNOWN' OR state = 'REJECTED' OR state = 'REFUSED') IS TRUE;
DROP INDEX proposal_waiting;
CREATE INDEX proposal_waiting ON proposal (desk, agent)
  WHERE (state = 'PENDING' OR state = 'HOLDING' OR state = 'READY') IS TRUE;
DELETE FROM sqlite_stat1
  WHERE tbl = 'proposal' AND idx IN ('proposal_open', 'proposal_same', 'proposal_waiting');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('proposal', 'proposal_open', '1000 300 300 1'),
  ('proposal', 'proposal_same', '100000 100000 2 1'),
  ('proposal', 'proposal_waiting', '10000 10000 100');

-- With RAISE(ABORT) it copies every page that the statement changes, in case it must be undone by
-- itself. A unit is undone whole, and these two speak before the row is touched: FAIL refuses as
-- firmly, and where the statement says OR FAIL too, nothing is copied.
DROP TRIGGER proposal_starts;
CREATE TRIGGER proposal_starts BEFORE INSERT ON proposal
WHEN NOT (NEW.state = 'READY' OR NEW.state = 'PENDING' OR NEW.state = 'HOLDING'
          OR NEW.state = 'REFUSED' OR NEW.state = 'ESCALATED')
  AND NOT (NEW.state = 'EXECUTING' AND NEW.attempt = 1
           AND NEW.control IN ('run_and_log', 'run_and_notify'))
BEGIN SELECT RAISE(FAIL, 'a proposal cannot start in this state'); END;
DROP TRIGGER proposal_moves;
CREATE TRIGGER proposal_moves BEFORE UPDATE OF state ON proposal
WHEN NOT EXISTS (SELECT 1 FROM transition WHERE before = OLD.state AND after = NEW.state)
BEGIN SELECT RAISE(FAIL, 'a proposal cannot move that way'); END;
