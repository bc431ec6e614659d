CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE desk (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at INTEGER NOT NULL,
  policy TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE policy_version (
  desk TEXT NOT NULL, version INTEGER NOT NULL, digest TEXT NOT NULL, name TEXT NOT NULL,
  body TEXT NOT NULL, activated_at INTEGER NOT NULL, activated_by TEXT NOT NULL,
  PRIMARY KEY (desk, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX policy_by_digest ON policy_version (desk, digest);

CREATE TABLE principal (
  desk TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
  identity TEXT NOT NULL, owner TEXT, operator TEXT, deployer TEXT, roles TEXT NOT NULL,
  limits TEXT NOT NULL, disabled INTEGER NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY (desk, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE credential (
  desk TEXT NOT NULL, id TEXT NOT NULL, principal TEXT NOT NULL, kind TEXT NOT NULL,
  secret_hash TEXT NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER,
  PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX credential_by_principal ON credential (desk, principal, kind);

CREATE TABLE session (
  token_hash TEXT PRIMARY KEY, desk TEXT NOT NULL, person TEXT NOT NULL, csrf TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE task (
  desk TEXT NOT NULL, id TEXT NOT NULL, agent TEXT NOT NULL, lane TEXT NOT NULL, ticket TEXT,
  customers TEXT NOT NULL, token_hash TEXT NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, revoked_at INTEGER,
  PRIMARY KEY (desk, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX task_by_token ON task (token_hash);

CREATE TABLE subject (
  desk TEXT NOT NULL, ref TEXT NOT NULL, lookup TEXT, sealed_key BLOB, sealed_id BLOB,
  created_at INTEGER NOT NULL, erased_at INTEGER,
  PRIMARY KEY (desk, ref)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX subject_by_lookup ON subject (desk, lookup) WHERE lookup IS NOT NULL;

CREATE TABLE content (
  desk TEXT NOT NULL, id TEXT NOT NULL, slot TEXT NOT NULL, subject TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (desk, id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE transition (
  before TEXT NOT NULL, after TEXT NOT NULL, PRIMARY KEY (before, after)
) STRICT, WITHOUT ROWID;

CREATE TABLE proposal (
  desk TEXT NOT NULL, id TEXT NOT NULL, task TEXT NOT NULL, agent TEXT NOT NULL,
  kind TEXT NOT NULL, connector TEXT NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL,
  grade INTEGER NOT NULL CHECK (grade BETWEEN 0 AND 3), control TEXT NOT NULL,
  checkers INTEGER NOT NULL, reasons TEXT NOT NULL, value_minor INTEGER, currency TEXT,
  subject TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, digest TEXT NOT NULL,
  statement TEXT NOT NULL, policy TEXT NOT NULL, editor TEXT, undoes TEXT, undone_by TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, decide_by INTEGER, execute_by INTEGER,
  hold_until INTEGER, attempt INTEGER NOT NULL, attempt_until INTEGER, fence INTEGER, permit TEXT,
  provider_ref TEXT, undo_until INTEGER,
  PRIMARY KEY (desk, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX proposal_by_key ON proposal (desk, agent, key);
CREATE INDEX proposal_queue ON proposal (desk, decide_by, id) WHERE state = 'PENDING';
CREATE INDEX proposal_open ON proposal (state, desk, id)
  WHERE state IN ('READY', 'EXECUTING', 'UNKNOWN', 'HOLDING');
CREATE INDEX proposal_by_subject ON proposal (desk, subject, id);
CREATE INDEX proposal_alone ON proposal (desk, id) WHERE control = 'run_and_notify';
CREATE INDEX proposal_undo_of ON proposal (desk, undoes, id) WHERE undoes IS NOT NULL;
CREATE UNIQUE INDEX proposal_by_provider ON proposal (desk, connector, provider_ref)
  WHERE provider_ref IS NOT NULL;
CREATE UNIQUE INDEX proposal_undoes ON proposal (desk, undoes)
  WHERE undoes IS NOT NULL AND state NOT IN
    ('FAILED', 'REFUSED', 'REJECTED', 'EXPIRED', 'WITHDRAWN', 'SUPERSEDED', 'ESCALATED');

-- A proposal that may run at once is written once, with its first attempt claimed.
CREATE TRIGGER proposal_starts BEFORE INSERT ON proposal
WHEN NEW.state NOT IN ('READY', 'PENDING', 'HOLDING', 'REFUSED', 'ESCALATED')
  AND NOT (NEW.state = 'EXECUTING' AND NEW.attempt = 1
           AND NEW.control IN ('run_and_log', 'run_and_notify'))
BEGIN SELECT RAISE(ABORT, 'a proposal cannot start in this state'); END;
CREATE TRIGGER proposal_moves BEFORE UPDATE OF state ON proposal
WHEN NOT EXISTS (SELECT 1 FROM transition WHERE before = OLD.state AND after = NEW.state)
BEGIN SELECT RAISE(ABORT, 'a proposal cannot move that way'); END;
CREATE TRIGGER proposal_stays BEFORE DELETE ON proposal
BEGIN SELECT RAISE(ABORT, 'a proposal is never deleted'); END;

CREATE TABLE review (
  desk TEXT NOT NULL, proposal TEXT NOT NULL, n INTEGER NOT NULL, person TEXT NOT NULL,
  identity TEXT NOT NULL, verdict TEXT NOT NULL, statement TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (desk, proposal, n)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX review_once ON review (desk, proposal, identity);
CREATE TRIGGER review_fixed BEFORE UPDATE ON review
BEGIN SELECT RAISE(ABORT, 'a review is never changed'); END;
CREATE TRIGGER review_stays BEFORE DELETE ON review
BEGIN SELECT RAISE(ABORT, 'a review is never deleted'); END;

CREATE TABLE escalation (
  desk TEXT NOT NULL, id TEXT NOT NULL, task TEXT NOT NULL, agent TEXT NOT NULL, proposal TEXT,
  subject TEXT NOT NULL, opened_at INTEGER NOT NULL, due_at INTEGER NOT NULL, owner TEXT,
  closed_at INTEGER, closed_by TEXT,
  PRIMARY KEY (desk, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX escalation_by_proposal ON escalation (desk, proposal) WHERE proposal IS NOT NULL;
CREATE INDEX escalation_open ON escalation (desk, due_at, id) WHERE closed_at IS NULL;

CREATE TABLE reservation (
  desk TEXT NOT NULL, cap TEXT NOT NULL, scope_key TEXT NOT NULL, proposal TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0), state TEXT NOT NULL
    CHECK (state IN ('pending', 'posted', 'voided')),
  reserved_at INTEGER NOT NULL, settled_at INTEGER, counted INTEGER NOT NULL,
  PRIMARY KEY (desk, proposal, cap)
) STRICT, WITHOUT ROWID;
CREATE INDEX reservation_leaving ON reservation (desk, cap, scope_key, settled_at)
  WHERE counted = 1 AND state = 'posted';
CREATE TABLE cap_use (
  desk TEXT NOT NULL, cap TEXT NOT NULL, scope_key TEXT NOT NULL,
  used INTEGER NOT NULL CHECK (used >= 0),
  PRIMARY KEY (desk, cap, scope_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE counter (
  desk TEXT NOT NULL, name TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (desk, name)
) STRICT, WITHOUT ROWID;

-- echo: the first 8 bytes of the leaf's hash, xor the index. It proves nothing; it names the entry
-- that changed, where the tree alone could only say that one did.
CREATE TABLE entry (
  desk TEXT NOT NULL, idx INTEGER NOT NULL, tag TEXT NOT NULL, person TEXT, proposal TEXT,
  leaf BLOB NOT NULL, echo INTEGER NOT NULL,
  PRIMARY KEY (desk, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_by_proposal ON entry (desk, proposal, idx) WHERE proposal IS NOT NULL;
CREATE INDEX entry_by_person ON entry (desk, person, idx) WHERE person IS NOT NULL;
CREATE TABLE tree (
  desk TEXT PRIMARY KEY, size INTEGER NOT NULL, frontier BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE tile (
  desk TEXT NOT NULL, level INTEGER NOT NULL, n INTEGER NOT NULL, hashes BLOB NOT NULL,
  PRIMARY KEY (desk, level, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (
  desk TEXT NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (desk, size)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER entry_fixed BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER tile_fixed BEFORE UPDATE ON tile
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER tile_stays BEFORE DELETE ON tile
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER checkpoint_fixed BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER checkpoint_stays BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- What the planner is told of the tables' sizes: without it, it takes a desk for a rare value and
-- walks the whole desk by its primary key.
ANALYZE;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('proposal', 'proposal', '1000000 1000000 1'),
  ('proposal', 'proposal_by_key', '1000000 1000000 100000 1'),
  ('proposal', 'proposal_by_subject', '1000000 1000000 20 1'),
  ('proposal', 'proposal_queue', '10000 10000 2 1'),
  ('proposal', 'proposal_open', '1000 300 300 1'),
  ('proposal', 'proposal_alone', '300000 300000 1'),
  ('review', 'review', '300000 300000 2 1'),
  ('review', 'review_once', '300000 300000 2 1'),
  ('content', 'content', '2000000 2000000 2 1'),
  ('reservation', 'reservation', '1000000 1000000 2 1'),
  ('reservation', 'reservation_leaving', '1000000 1000000 200000 20 1'),
  ('entry', 'entry', '3000000 3000000 1'),
  ('entry', 'entry_by_proposal', '3000000 3000000 4 1'),
  ('entry', 'entry_by_person', '100000 100000 1000 1');
