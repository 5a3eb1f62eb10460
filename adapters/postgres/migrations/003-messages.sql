-- What the ingest stage remembers of a resource, as JSON. It belongs to no version.
ALTER TABLE resource ADD COLUMN marks text;

ALTER TABLE received_message
  ADD COLUMN site text NOT NULL DEFAULT '',
  ADD COLUMN content text NOT NULL DEFAULT '',
  ADD COLUMN answer bytea NOT NULL DEFAULT '',
  DROP CONSTRAINT received_message_check1,
  ADD CONSTRAINT received_message_applied
    CHECK (state NOT IN ('applied', 'stale') OR (applied_at IS NOT NULL AND wrote IS NOT NULL));
-- Only for what was there: who keeps a message knows them.
ALTER TABLE received_message
  ALTER COLUMN site DROP DEFAULT, ALTER COLUMN content DROP DEFAULT, ALTER COLUMN answer DROP DEFAULT;
DROP INDEX message_by_bytes;
CREATE INDEX message_by_time ON received_message (received_at, id);
-- What is applied again stands apart: new messages do not wait for it.
CREATE INDEX message_waiting ON received_message ((attempts > 0), id) WHERE state = 'received';
-- Control id and facility are as long as the sender likes, and an index row is not: it has their heads. What was rejected
-- stands apart: a sender that repeats it for days costs no look-up anything.
CREATE INDEX message_by_control_id ON received_message
  ((left(control_id, 100)), (left(facility, 100)), ((state = 'rejected')::int), id);
-- Only what was applied can be repeated. A digest of everything tells facilities apart too; that of older messages is unknown.
CREATE INDEX message_by_content ON received_message (content, id) WHERE state IN ('applied', 'stale') AND content <> '';

-- Outcomes of messages that were received again.
CREATE TABLE message_outcome (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  message bigint NOT NULL,
  at bigint NOT NULL,
  state text NOT NULL,
  mapping_version text,
  wrote text,
  error text
);
CREATE INDEX outcome_of_message ON message_outcome (message, id);

-- Codes that no table of the mapping translates, as a site sends them, with what the mapping owner answered.
CREATE TABLE unknown_code (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  site text COLLATE "C" NOT NULL,
  code_table text COLLATE "C" NOT NULL,
  code text NOT NULL,
  -- The code for the index: a long one ends in its digest.
  code_key text COLLATE "C" NOT NULL,
  system text NOT NULL,
  display text NOT NULL,
  field text NOT NULL,
  -- As many as unknown_code_message has; counting them each time would take as long as there are messages.
  messages integer NOT NULL,
  first_at bigint NOT NULL,
  last_at bigint NOT NULL,
  target_system text,
  target_code text,
  target_display text,
  answered_by text,
  answered_at bigint,
  UNIQUE (site, code_table, code_key),
  CHECK ((answered_at IS NULL) = (answered_by IS NULL)),
  CHECK ((target_code IS NULL) = (target_system IS NULL)),
  CHECK (target_code IS NULL OR answered_at IS NOT NULL)
) WITH (fillfactor = 80);
CREATE INDEX unknown_code_open ON unknown_code (id) WHERE answered_at IS NULL;

CREATE TABLE unknown_code_message (
  code bigint NOT NULL,
  message bigint NOT NULL,
  PRIMARY KEY (code, message)
);

-- Messages to hospitals.
CREATE TABLE outgoing_message (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  destination text COLLATE "C" NOT NULL,
  lane text COLLATE "C" NOT NULL,
  identity text COLLATE "C" NOT NULL,
  control_id text NOT NULL,
  at bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'acknowledged', 'failed')),
  attempts integer NOT NULL,
  due_at bigint NOT NULL,
  error text,
  answer bytea,
  bytes bytea NOT NULL,
  UNIQUE (destination, identity)
);
CREATE INDEX outgoing_in_state ON outgoing_message (state, id);
CREATE INDEX outgoing_waiting ON outgoing_message (destination, lane, id) WHERE state = 'waiting';

-- As in 002.
DO $$ DECLARE name text; BEGIN
  FOREACH name IN ARRAY ARRAY['message_outcome', 'unknown_code_message', 'outgoing_message'] LOOP
    EXECUTE format('ALTER TABLE %I SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02,
      autovacuum_vacuum_insert_scale_factor = 0.05)', name);
  END LOOP;
END $$;
