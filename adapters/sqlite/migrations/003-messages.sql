-- What the ingest stage remembers of a resource, as JSON. It belongs to no version.
ALTER TABLE resource ADD COLUMN marks TEXT;

-- A CHECK cannot be changed, so the journal is made anew (sqlite.org/lang_altertable.html, section 7). The long columns
-- stand last: a list that looks at the others does not read through them.
CREATE TABLE new_received_message (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  received_at INTEGER NOT NULL,
  listener TEXT NOT NULL,
  peer TEXT NOT NULL,
  site TEXT NOT NULL,
  charset TEXT NOT NULL,
  type TEXT NOT NULL,
  control_id TEXT NOT NULL,
  facility TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  content TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('received', 'applied', 'duplicate', 'stale', 'ignored', 'rejected', 'unmapped', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  mapping_version TEXT,
  wrote TEXT,
  applied_at INTEGER,
  answer BLOB NOT NULL,
  bytes BLOB NOT NULL,
  CHECK (state NOT IN ('rejected', 'unmapped', 'failed') OR error IS NOT NULL),
  CHECK (state NOT IN ('applied', 'stale') OR (applied_at IS NOT NULL AND wrote IS NOT NULL))
);
INSERT INTO new_received_message (id, received_at, listener, peer, site, charset, type, control_id, facility, sha256, content,
    state, attempts, error, mapping_version, wrote, applied_at, answer, bytes)
  SELECT id, received_at, listener, peer, '', charset, type, control_id, facility, sha256, '',
    state, attempts, error, mapping_version, wrote, applied_at, x'', bytes
  FROM received_message ORDER BY id;
-- The numbers go on where they were.
DELETE FROM sqlite_sequence WHERE name = 'new_received_message';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'new_received_message', seq FROM sqlite_sequence WHERE name = 'received_message';
DROP TABLE received_message;
ALTER TABLE new_received_message RENAME TO received_message;

CREATE INDEX message_in_state ON received_message (state, id);
-- What is applied again stands apart: new messages do not wait for it.
CREATE INDEX message_waiting ON received_message ((attempts > 0), id) WHERE state = 'received';
CREATE INDEX message_by_time ON received_message (received_at);
-- What was rejected stands apart: a sender that repeats it for days costs no look-up anything.
CREATE INDEX message_by_control_id ON received_message (control_id, facility, (state = 'rejected'));
-- Only what was applied can be repeated. A digest of everything tells facilities apart too; that of older messages is unknown.
CREATE INDEX message_by_content ON received_message (content) WHERE state IN ('applied', 'stale') AND content <> '';

-- Outcomes of messages that were received again.
CREATE TABLE message_outcome (
  id INTEGER PRIMARY KEY,
  message INTEGER NOT NULL REFERENCES received_message,
  at INTEGER NOT NULL,
  state TEXT NOT NULL,
  mapping_version TEXT,
  wrote TEXT,
  error TEXT
);
CREATE INDEX outcome_of_message ON message_outcome (message);

-- Codes that no table of the mapping translates, as a site sends them, with what the mapping owner answered.
CREATE TABLE unknown_code (
  id INTEGER PRIMARY KEY,
  site TEXT NOT NULL,
  code_table TEXT NOT NULL,
  code TEXT NOT NULL,
  system TEXT NOT NULL,
  display TEXT NOT NULL,
  field TEXT NOT NULL,
  -- As many as unknown_code_message has; counting them each time would take as long as there are messages.
  messages INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  target_system TEXT,
  target_code TEXT,
  target_display TEXT,
  answered_by TEXT,
  answered_at INTEGER,
  UNIQUE (site, code_table, code),
  CHECK ((answered_at IS NULL) = (answered_by IS NULL)),
  CHECK ((target_code IS NULL) = (target_system IS NULL)),
  CHECK (target_code IS NULL OR answered_at IS NOT NULL)
);
CREATE INDEX unknown_code_open ON unknown_code (id) WHERE answered_at IS NULL;

CREATE TABLE unknown_code_message (
  code INTEGER NOT NULL REFERENCES unknown_code,
  message INTEGER NOT NULL REFERENCES received_message,
  PRIMARY KEY (code, message)
) WITHOUT ROWID;

-- Messages to hospitals.
CREATE TABLE outgoing_message (
  id INTEGER PRIMARY KEY,
  destination TEXT NOT NULL,
  lane TEXT NOT NULL,
  identity TEXT NOT NULL,
  control_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'acknowledged', 'failed')),
  attempts INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  error TEXT,
  answer BLOB,
  bytes BLOB NOT NULL,
  UNIQUE (destination, identity)
);
CREATE INDEX outgoing_in_state ON outgoing_message (state, id);
CREATE INDEX outgoing_waiting ON outgoing_message (destination, lane, id) WHERE state = 'waiting';
