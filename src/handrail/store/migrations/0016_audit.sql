-- An auditor asks for a payout by the ticket that it was made in.
CREATE INDEX proposal_by_task ON proposal (desk, task, id) WHERE value_minor IS NOT NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('proposal', 'proposal_by_task', '300000 300000 3 1');
