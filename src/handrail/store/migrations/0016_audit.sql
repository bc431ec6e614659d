-- An auditor asks for a payout by the ticket that it was made in.
CREATE INDEX proposal_by_task ON proposal (desk, task, id) WHERE value_minor IS NOT NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('proposal', 'proposal_by_task', '300000 300000 3 1');

-- Ways out of the desk, and what people are told on them.
CREATE TABLE channel (
  desk TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, label TEXT NOT NULL,
  host TEXT NOT NULL, port INTEGER NOT NULL, console TEXT NOT NULL, carries TEXT NOT NULL,
  topics TEXT NOT NULL, pause_ms INTEGER NOT NULL, inside INTEGER NOT NULL,
  made_at INTEGER NOT NULL, made_by TEXT NOT NULL, ended_at INTEGER, ended_by TEXT,
  PRIMARY KEY (desk, id)
) STRICT, WITHOUT ROWID;

-- How a channel fares. Not in the log.
CREATE TABLE channel_state (
  desk TEXT NOT NULL, channel TEXT NOT NULL, sent INTEGER NOT NULL, failed INTEGER NOT NULL,
  given_up INTEGER NOT NULL, sent_at INTEGER, failed_at INTEGER, error TEXT,
  PRIMARY KEY (desk, channel)
) STRICT, WITHOUT ROWID;

-- How far into the log people have been told of it.
CREATE TABLE notice_cursor (
  desk TEXT PRIMARY KEY, idx INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE notice (
  desk TEXT NOT NULL, channel TEXT NOT NULL, person TEXT NOT NULL, topic TEXT NOT NULL,
  about TEXT NOT NULL, mark TEXT NOT NULL, at INTEGER NOT NULL, letter TEXT,
  PRIMARY KEY (desk, channel, person, topic, about, mark)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_unsent ON notice (desk, channel, person) WHERE letter IS NULL;
CREATE INDEX notice_by_letter ON notice (desk, letter) WHERE letter IS NOT NULL;

CREATE TABLE letter (
  desk TEXT NOT NULL, id TEXT NOT NULL, channel TEXT NOT NULL, person TEXT NOT NULL,
  made_at INTEGER NOT NULL, tries INTEGER NOT NULL, next_at INTEGER NOT NULL,
  sent_at INTEGER, given_up_at INTEGER,
  PRIMARY KEY (desk, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX letter_open ON letter (desk, next_at, id)
  WHERE sent_at IS NULL AND given_up_at IS NULL;
CREATE INDEX letter_to ON letter (desk, channel, person, made_at);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('channel', 'channel', '20 20 1'),
  ('notice', 'notice', '1000000 1000000 100000 10000 5000 2 1'),
  ('notice', 'notice_unsent', '1000 1000 100 20'),
  ('notice', 'notice_by_letter', '1000000 1000000 5'),
  ('letter', 'letter', '300000 300000 1'),
  ('letter', 'letter_open', '100 100 2 1'),
  ('letter', 'letter_to', '300000 300000 30000 3000 1');
