-- The queue's index holds every column that it is sifted by, so that looking for what passes among
-- very many waiting actions reads the index alone.
DROP INDEX proposal_queue;
CREATE INDEX proposal_queue ON proposal
  (desk, rank, id, kind, grade, agent, subject, task, currency, value_minor)
  WHERE state = 'PENDING';
DELETE FROM sqlite_stat1 WHERE tbl = 'proposal' AND idx = 'proposal_queue';

-- Which tasks a ticket had.
CREATE INDEX task_by_ticket ON task (desk, ticket, id) WHERE ticket IS NOT NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('proposal', 'proposal_queue', '10000 10000 2 1 1 1 1 1 1 1 1'),
  ('task', 'task_by_ticket', '1000000 1000000 3 1');
