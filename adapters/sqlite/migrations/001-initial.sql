-- One row per resource ever created. rid = number of the type * 2^40 + sequence of the change that created it, so the
-- resources of a type are one range and a number tells when it was born.
CREATE TABLE resource (
  rid INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
  UNIQUE (type, id)
);

-- Every version, and at the same time the change row of the design: the sequence is the order of all changes.
CREATE TABLE change (
  sequence INTEGER PRIMARY KEY,
  rid INTEGER NOT NULL REFERENCES resource,
  version INTEGER NOT NULL,
  interaction TEXT NOT NULL CHECK (interaction IN ('create', 'update', 'delete')),
  at INTEGER NOT NULL,
  cause TEXT NOT NULL,
  json TEXT CHECK ((json IS NULL) = (interaction = 'delete'))
);
CREATE INDEX change_of_resource ON change (rid, sequence);

-- Search rows carry the change that made them and the one that ended them: a search sees the state at one sequence.
-- The key begins with what a filter fixes and goes on in the order of pages; the second index serves EXISTS and sorting.
CREATE TABLE token_row (
  param INTEGER NOT NULL, code TEXT NOT NULL, rid INTEGER NOT NULL, system TEXT NOT NULL,
  born INTEGER NOT NULL, gone INTEGER,
  PRIMARY KEY (param, code, rid, system, born)
) WITHOUT ROWID;
CREATE INDEX token_of_resource ON token_row (rid, param);
CREATE INDEX token_ended ON token_row (gone) WHERE gone IS NOT NULL;

CREATE TABLE string_row (
  param INTEGER NOT NULL, norm TEXT NOT NULL, rid INTEGER NOT NULL, text TEXT NOT NULL,
  born INTEGER NOT NULL, gone INTEGER,
  PRIMARY KEY (param, norm, rid, text, born)
) WITHOUT ROWID;
CREATE INDEX string_of_resource ON string_row (rid, param);
CREATE INDEX string_ended ON string_row (gone) WHERE gone IS NOT NULL;

CREATE TABLE date_row (
  param INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, rid INTEGER NOT NULL,
  born INTEGER NOT NULL, gone INTEGER,
  PRIMARY KEY (param, low, high, rid, born)
) WITHOUT ROWID;
CREATE INDEX date_of_resource ON date_row (rid, param);
CREATE INDEX date_ended ON date_row (gone) WHERE gone IS NOT NULL;

CREATE TABLE reference_row (
  param INTEGER NOT NULL, id TEXT NOT NULL, rid INTEGER NOT NULL, target TEXT NOT NULL,
  born INTEGER NOT NULL, gone INTEGER,
  PRIMARY KEY (param, id, rid, target, born)
) WITHOUT ROWID;
CREATE INDEX reference_of_resource ON reference_row (rid, param);
CREATE INDEX reference_ended ON reference_row (gone) WHERE gone IS NOT NULL;

-- Numbers of search parameters, given at their first use and never changed.
CREATE TABLE parameter (
  param INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  code TEXT NOT NULL,
  UNIQUE (type, code)
);

-- The journal. The bytes are never changed; docs/states.md draws the states.
CREATE TABLE received_message (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  received_at INTEGER NOT NULL,
  listener TEXT NOT NULL,
  peer TEXT NOT NULL,
  bytes BLOB NOT NULL,
  charset TEXT NOT NULL,
  type TEXT NOT NULL,
  control_id TEXT NOT NULL,
  facility TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('received', 'applied', 'duplicate', 'stale', 'ignored', 'rejected', 'unmapped', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  mapping_version TEXT,
  wrote TEXT,
  applied_at INTEGER,
  CHECK (state NOT IN ('rejected', 'unmapped', 'failed') OR error IS NOT NULL),
  CHECK (state <> 'applied' OR (applied_at IS NOT NULL AND wrote IS NOT NULL))
);
CREATE INDEX message_in_state ON received_message (state, id) WHERE state IN ('received', 'unmapped', 'failed');
CREATE INDEX message_by_control_id ON received_message (facility, control_id);

-- Where each stage stands in the changes.
CREATE TABLE cursor (
  name TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL
) WITHOUT ROWID;

-- Events of subscriptions: numbered from 1 without gaps, one per change.
CREATE TABLE event (
  subscription TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number > 0),
  sequence INTEGER NOT NULL,
  at INTEGER NOT NULL,
  focus TEXT NOT NULL,
  PRIMARY KEY (subscription, number),
  UNIQUE (subscription, sequence)
) WITHOUT ROWID;

CREATE TABLE delivery (
  subscription TEXT PRIMARY KEY,
  delivered_number INTEGER NOT NULL
) WITHOUT ROWID;
