-- Search rows of the kinds that 001 did not have. See there for born and gone.
CREATE TABLE number_row (
  param integer NOT NULL, rid bigint NOT NULL, born bigint NOT NULL, gone bigint,
  low double precision NOT NULL, high double precision NOT NULL
);
CREATE INDEX number_by_value ON number_row (param, low, high);
CREATE INDEX number_of_resource ON number_row (param, rid);
CREATE INDEX number_ended ON number_row (gone) WHERE gone IS NOT NULL;

CREATE TABLE quantity_row (
  param integer NOT NULL, rid bigint NOT NULL, born bigint NOT NULL, gone bigint,
  low double precision NOT NULL, high double precision NOT NULL,
  system text COLLATE "C" NOT NULL, code text COLLATE "C" NOT NULL
);
CREATE INDEX quantity_by_value ON quantity_row (param, low, high);
CREATE INDEX quantity_of_resource ON quantity_row (param, rid);
CREATE INDEX quantity_ended ON quantity_row (gone) WHERE gone IS NOT NULL;

-- The parts of one element together: code or norm or id in c, system or text or target in s, a range in l and h.
CREATE TABLE composite_row (
  param integer NOT NULL, rid bigint NOT NULL, born bigint NOT NULL, gone bigint,
  c1 text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL,
  s1 text COLLATE "C", l1 double precision, h1 double precision,
  c2 text COLLATE "C", s2 text COLLATE "C", l2 double precision, h2 double precision,
  c3 text COLLATE "C", s3 text COLLATE "C", l3 double precision, h3 double precision
);
CREATE INDEX composite_by_value ON composite_row (param, c1, rid);
CREATE INDEX composite_of_resource ON composite_row (param, rid);
CREATE INDEX composite_ended ON composite_row (gone) WHERE gone IS NOT NULL;

-- The words of narrative and content.
CREATE TABLE text_row (
  param integer NOT NULL, rid bigint NOT NULL, born bigint NOT NULL, gone bigint,
  words text[] COLLATE "C" NOT NULL
);
-- What is new waits in a list that every search reads: a short one.
CREATE INDEX text_by_word ON text_row USING gin (words) WITH (gin_pending_list_limit = 256);
CREATE INDEX text_of_resource ON text_row (param, rid);
CREATE INDEX text_ended ON text_row (gone) WHERE gone IS NOT NULL;

-- The defaults wait for a fifth of a table to change: with millions of rows, that is a day of dead ones.
DO $$ DECLARE name text; BEGIN
  FOREACH name IN ARRAY ARRAY['token_row', 'string_row', 'date_row', 'reference_row', 'number_row', 'quantity_row',
    'composite_row', 'text_row', 'received_message'] LOOP
    EXECUTE format('ALTER TABLE %I SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02,
      autovacuum_vacuum_insert_scale_factor = 0.05)', name);
  END LOOP;
END $$;
