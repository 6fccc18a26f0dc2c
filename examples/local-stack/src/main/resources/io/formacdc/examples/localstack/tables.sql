CREATE TABLE schema_registry (
  schema_name TEXT PRIMARY KEY,
  schema_id   SMALLINT UNIQUE NOT NULL
);

CREATE TABLE entity_main (
  ltbase_schema_id  SMALLINT NOT NULL,
  ltbase_row_id     UUID NOT NULL,
  text_01 TEXT, text_02 TEXT, text_03 TEXT, text_04 TEXT, text_05 TEXT,
  text_06 TEXT, text_07 TEXT, text_08 TEXT, text_09 TEXT, text_10 TEXT,
  smallint_01 SMALLINT, smallint_02 SMALLINT, smallint_03 SMALLINT,
  integer_01 INTEGER, integer_02 INTEGER, integer_03 INTEGER,
  bigint_01 BIGINT, bigint_02 BIGINT, bigint_03 BIGINT, bigint_04 BIGINT, bigint_05 BIGINT,
  double_01 DOUBLE PRECISION, double_02 DOUBLE PRECISION, double_03 DOUBLE PRECISION,
  double_04 DOUBLE PRECISION, double_05 DOUBLE PRECISION,
  uuid_01 UUID, uuid_02 UUID,
  ltbase_created_at BIGINT NOT NULL,
  ltbase_updated_at BIGINT NOT NULL,
  ltbase_deleted_at BIGINT,
  PRIMARY KEY (ltbase_schema_id, ltbase_row_id)
);

CREATE TABLE eav_data (
  schema_id     SMALLINT NOT NULL,
  row_id        UUID NOT NULL,
  attr_id       SMALLINT NOT NULL,
  array_indices TEXT NOT NULL DEFAULT '',
  value_text    TEXT,
  value_numeric NUMERIC,
  PRIMARY KEY (schema_id, row_id, attr_id, array_indices)
);

CREATE TABLE change_log (
  schema_id  SMALLINT NOT NULL,
  row_id     UUID NOT NULL,
  flushed_at BIGINT NOT NULL DEFAULT 0,
  changed_at BIGINT NOT NULL,
  deleted_at BIGINT,
  PRIMARY KEY (schema_id, row_id, flushed_at)
);
