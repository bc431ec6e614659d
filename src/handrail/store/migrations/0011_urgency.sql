-- The place in the queue: deadline and what is at stake in one number (core/urgency).
ALTER TABLE proposal ADD COLUMN rank INTEGER;
UPDATE proposal SET rank = (decide_by / 900000 + 1) * 1000000000000 WHERE decide_by IS NOT NULL;
DROP INDEX proposal_queue;
CREATE INDEX proposal_queue ON proposal (desk, rank, id) WHERE state = 'PENDING';
DELETE FROM sqlite_stat1 WHERE tbl = 'proposal' AND idx = 'proposal_queue';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('proposal', 'proposal_queue', '10000 10000 2 1');
