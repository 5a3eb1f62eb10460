-- One row per resource ever created. rid = number of the type * 2^40 + sequence of the change that created it, so the
-- resources of a type are one range and a number tells when it was born. Text is compared by code points everywhere: a
-- prefix is a range of the index, and the order is the same as in SQLite.
CREATE TABLE resource (
  rid bigint PRIMARY KEY,
  type text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  sequence bigint NOT NULL,
  deleted boolean NOT NULL,
  UNIQUE (type, id)
) WITH (fillfactor = 80);

-- Every version, and at the same time the change row of the design: the sequence is the order of all changes. The writer
-- makes both rows in one transaction; a foreign key would look each of them up again.
CREATE TABLE change (
  sequence bigint PRIMARY KEY,
  rid bigint NOT NULL,
  version integer NOT NULL,
  interaction text NOT NULL CHECK (interaction IN ('create', 'update', 'delete')),
  at bigint NOT NULL,
  cause text NOT NULL,
  json text CHECK ((json IS NULL) = (interaction = 'delete'))
) WITH (autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX change_of_resource ON change (rid, sequence);
CREATE INDEX change_of_type ON change ((rid >> 40), sequence);
CREATE INDEX change_at ON change (at, sequence);
-- LZ4 is read four times as fast; a server may be built without it.
DO $$ BEGIN
  ALTER TABLE change ALTER COLUMN json SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;

-- Search rows carry the change that made them and the one that ended them: a search sees the state at one sequence.
-- One index begins with what a filter fixes and goes on in the order of pages; one serves EXISTS, sorting and whole types.
CREATE TABLE token_row (
  param integer NOT NULL, rid bigint NOT NULL, born bigint NOT NULL, gone bigint,
  code text COLLATE "C" NOT NULL, system text COLLATE "C" NOT NULL
);
CREATE INDEX token_by_value ON token_row (param, code, rid);
CREATE INDEX token_of_resource ON token_row (param, rid);
CREATE INDEX token_ended ON token_row (gone) WHERE gone IS NOT NULL;

CREATE TABLE string_row (
  param integer NOT NULL, rid bigint NOT NULL, born bigint NOT NULL, gone bigint,
  norm text COLLATE "C" NOT NULL, text text COLLATE "C" NOT NULL
);
CREATE INDEX string_by_value ON string_row (param, norm, rid);
CREATE INDEX string_of_resource ON string_row (param, rid);
CREATE INDEX string_ended ON string_row (gone) WHERE gone IS NOT NULL;

CREATE TABLE date_row (
  param integer NOT NULL, rid bigint NOT NULL, born bigint NOT NULL, gone bigint,
  low bigint NOT NULL, high bigint NOT NULL
);
CREATE INDEX date_by_value ON date_row (param, low, high);
CREATE INDEX date_of_resource ON date_row (param, rid);
CREATE INDEX date_ended ON date_row (gone) WHERE gone IS NOT NULL;

CREATE TABLE reference_row (
  param integer NOT NULL, rid bigint NOT NULL, born bigint NOT NULL, gone bigint,
  id text COLLATE "C" NOT NULL, target text COLLATE "C" NOT NULL
);
CREATE INDEX reference_by_value ON reference_row (param, id, rid);
CREATE INDEX reference_of_resource ON reference_row (param, rid);
CREATE INDEX reference_ended ON reference_row (gone) WHERE gone IS NOT NULL;

-- Numbers of search parameters, given at their first use and never changed.
CREATE TABLE parameter (
  param integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  type text COLLATE "C" NOT NULL,
  code text COLLATE "C" NOT NULL,
  UNIQUE (type, code)
);

-- The journal. The bytes are never changed; docs/states.md draws the states.
CREATE TABLE received_message (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  received_at bigint NOT NULL,
  listener text NOT NULL,
  peer text NOT NULL,
  bytes bytea NOT NULL,
  charset text NOT NULL,
  type text NOT NULL,
  control_id text NOT NULL,
  facility text NOT NULL,
  sha256 text NOT NULL,
  state text NOT NULL CHECK (state IN
    ('received', 'applied', 'duplicate', 'stale', 'ignored', 'rejected', 'unmapped', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  error text,
  mapping_version text,
  wrote text,
  applied_at bigint,
  CHECK (state NOT IN ('rejected', 'unmapped', 'failed') OR error IS NOT NULL),
  CHECK (state <> 'applied' OR (applied_at IS NOT NULL AND wrote IS NOT NULL))
);
-- Whole, not partial: it also counts the messages of each state.
CREATE INDEX message_in_state ON received_message (state, id);
-- Twins have the same bytes; control id and facility are as long as the sender likes, and an index row is not.
CREATE INDEX message_by_bytes ON received_message (sha256);

-- Where each stage stands in the changes.
CREATE TABLE cursor (
  name text PRIMARY KEY,
  sequence bigint NOT NULL
);

-- Events of subscriptions: numbered from 1 without gaps, one per change.
CREATE TABLE event (
  subscription text NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  sequence bigint NOT NULL,
  at bigint NOT NULL,
  focus text NOT NULL,
  PRIMARY KEY (subscription, number),
  UNIQUE (subscription, sequence)
);

CREATE TABLE delivery (
  subscription text PRIMARY KEY,
  delivered_number integer NOT NULL
);
