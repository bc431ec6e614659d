-- Caps in full: customers that are counted once, and the moment a cap tripped. Rows of a cap that
-- several desks share stand under the desk ''.

ALTER TABLE cap_use ADD COLUMN tripped_at INTEGER;
ALTER TABLE reservation ADD COLUMN member TEXT NOT NULL DEFAULT '';

-- One row per customer that a cap counts: `held` reservations are pending, `last_at` is when the
-- newest one settled.
CREATE TABLE cap_member (
  desk TEXT NOT NULL, cap TEXT NOT NULL, scope_key TEXT NOT NULL, member TEXT NOT NULL,
  held INTEGER NOT NULL CHECK (held >= 0), last_at INTEGER,
  PRIMARY KEY (desk, cap, scope_key, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX cap_member_leaving ON cap_member (desk, cap, scope_key, last_at) WHERE held = 0;

-- Flood control: what is the same and open or denied already (harmless reading aside), and what an
-- agent has waiting. `same_as` names the open action because of which one was refused.
ALTER TABLE proposal ADD COLUMN same_as TEXT;
CREATE INDEX proposal_same ON proposal (desk, fingerprint, id)
  WHERE grade > 0
    AND state IN ('PENDING', 'HOLDING', 'READY', 'EXECUTING', 'UNKNOWN', 'REJECTED', 'REFUSED');
CREATE INDEX proposal_waiting ON proposal (desk, agent)
  WHERE state IN ('PENDING', 'HOLDING', 'READY');

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('cap_member', 'cap_member', '1000000 1000000 200000 20 1'),
  ('cap_member', 'cap_member_leaving', '1000000 1000000 200000 20 1'),
  ('proposal', 'proposal_same', '100000 100000 2 1'),
  ('proposal', 'proposal_waiting', '10000 10000 100');
