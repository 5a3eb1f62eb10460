-- With gone in it the index alone answers what a row of a resource is now. Without, SQLite took the other index for a sort,
-- and sorting 10,000 hits by a string took seconds.
DROP INDEX token_of_resource;
CREATE INDEX token_of_resource ON token_row (rid, param, gone);
DROP INDEX string_of_resource;
CREATE INDEX string_of_resource ON string_row (rid, param, gone);
DROP INDEX date_of_resource;
CREATE INDEX date_of_resource ON date_row (rid, param, gone);
DROP INDEX reference_of_resource;
CREATE INDEX reference_of_resource ON reference_row (rid, param, gone);

-- Search rows of the kinds that 001 did not have. See there for born and gone.
CREATE TABLE number_row (
  param INTEGER NOT NULL, low REAL NOT NULL, high REAL NOT NULL, rid INTEGER NOT NULL,
  born INTEGER NOT NULL, gone INTEGER,
  PRIMARY KEY (param, low, high, rid, born)
) WITHOUT ROWID;
CREATE INDEX number_of_resource ON number_row (rid, param, gone);
CREATE INDEX number_ended ON number_row (gone) WHERE gone IS NOT NULL;

CREATE TABLE quantity_row (
  param INTEGER NOT NULL, low REAL NOT NULL, high REAL NOT NULL, rid INTEGER NOT NULL,
  system TEXT NOT NULL, code TEXT NOT NULL,
  born INTEGER NOT NULL, gone INTEGER,
  PRIMARY KEY (param, low, high, rid, system, code, born)
) WITHOUT ROWID;
CREATE INDEX quantity_of_resource ON quantity_row (rid, param, gone);
CREATE INDEX quantity_ended ON quantity_row (gone) WHERE gone IS NOT NULL;

-- The parts of one element together: code or norm or id in c, system or text or target in s, a range in l and h.
CREATE TABLE composite_row (
  param INTEGER NOT NULL, c1 TEXT NOT NULL, rid INTEGER NOT NULL, key TEXT NOT NULL,
  s1 TEXT, l1 REAL, h1 REAL,
  c2 TEXT, s2 TEXT, l2 REAL, h2 REAL,
  c3 TEXT, s3 TEXT, l3 REAL, h3 REAL,
  born INTEGER NOT NULL, gone INTEGER,
  PRIMARY KEY (param, c1, rid, key, born)
) WITHOUT ROWID;
CREATE INDEX composite_of_resource ON composite_row (rid, param, gone);
CREATE INDEX composite_ended ON composite_row (gone) WHERE gone IS NOT NULL;

-- The words of narrative and content; the full-text index has the same numbers. The words are cut and folded already:
-- the ascii tokenizer takes them as they are, where unicode61 has its own idea of what a letter is.
CREATE TABLE text_row (
  id INTEGER PRIMARY KEY,
  param INTEGER NOT NULL, rid INTEGER NOT NULL, words TEXT NOT NULL,
  born INTEGER NOT NULL, gone INTEGER
);
CREATE INDEX text_of_resource ON text_row (rid, param, gone);
CREATE INDEX text_ended ON text_row (gone) WHERE gone IS NOT NULL;
CREATE VIRTUAL TABLE text_index USING fts5 (words, content = 'text_row', content_rowid = 'id', detail = 'none', tokenize = 'ascii');
CREATE TRIGGER text_added AFTER INSERT ON text_row BEGIN
  INSERT INTO text_index (rowid, words) VALUES (new.id, new.words);
END;
CREATE TRIGGER text_dropped AFTER DELETE ON text_row BEGIN
  INSERT INTO text_index (text_index, rowid, words) VALUES ('delete', old.id, old.words);
END;
