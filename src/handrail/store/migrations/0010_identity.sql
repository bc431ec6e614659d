-- Sessions say when they were last used, when their person last showed who they are, by what
-- means, and from which browser. A session of before was never used by this measure: it is over.
ALTER TABLE session ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN proved_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN means TEXT NOT NULL DEFAULT 'password';
ALTER TABLE session ADD COLUMN browser TEXT NOT NULL DEFAULT '';
CREATE INDEX session_by_person ON session (desk, person, created_at);

-- An identity at a provider, or an invitation, is found by its hash.
CREATE INDEX credential_by_secret ON credential (desk, kind, secret_hash);

-- Names that a provider has vouched for, as keyed hashes: who shares one is one person.
ALTER TABLE principal ADD COLUMN vouched TEXT NOT NULL DEFAULT '[]';

CREATE TABLE passkey (
  desk TEXT NOT NULL, id TEXT NOT NULL, person TEXT NOT NULL, label TEXT NOT NULL,
  public_key TEXT NOT NULL, origin TEXT NOT NULL, site TEXT NOT NULL, created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  PRIMARY KEY (desk, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX passkey_by_person ON passkey (desk, person, created_at);

-- How far a passkey's own counter has come, and when it was last used. Not in the log.
CREATE TABLE passkey_use (
  desk TEXT NOT NULL, passkey TEXT NOT NULL, counter INTEGER NOT NULL, used_at INTEGER NOT NULL,
  PRIMARY KEY (desk, passkey)
) STRICT, WITHOUT ROWID;

-- What a passkey signed for one review, whole, so that it can be checked years later.
CREATE TABLE assertion (
  desk TEXT NOT NULL, proposal TEXT NOT NULL, n INTEGER NOT NULL, person TEXT NOT NULL,
  amount TEXT, nonce TEXT NOT NULL, passkey TEXT NOT NULL, public_key TEXT NOT NULL, origin TEXT NOT NULL,
  site TEXT NOT NULL, client_data TEXT NOT NULL, authenticator_data TEXT NOT NULL,
  signature TEXT NOT NULL,
  PRIMARY KEY (desk, proposal, n)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER assertion_fixed BEFORE UPDATE ON assertion
BEGIN SELECT RAISE(ABORT, 'an assertion is never changed'); END;
CREATE TRIGGER assertion_stays BEFORE DELETE ON assertion
BEGIN SELECT RAISE(ABORT, 'an assertion is never deleted'); END;

-- Challenges that were answered: each counts once. One that is over by its own time is forgotten.
CREATE TABLE spent (
  nonce TEXT PRIMARY KEY, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_over ON spent (expires_at);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('session', 'session_by_person', '1000 1000 5 1'),
  ('credential', 'credential_by_secret', '1000 1000 300 1'),
  ('passkey', 'passkey', '1000 1000 1'),
  ('passkey', 'passkey_by_person', '1000 1000 2 1'),
  ('passkey_use', 'passkey_use', '1000 1000 1'),
  ('assertion', 'assertion', '100000 100000 1 1'),
  ('spent', 'spent', '100 1'),
  ('spent', 'spent_over', '100 1');
