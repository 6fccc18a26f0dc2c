-- What writers know of each row they ever wrote: the one truth that the lake is held against.
CREATE TABLE row_version (
  schema_id SMALLINT NOT NULL,
  row_id    UUID NOT NULL,
  version   BIGINT NOT NULL,
  is_live   BOOLEAN NOT NULL,
  PRIMARY KEY (schema_id, row_id)
);

-- One change of one entity; every value follows from its version. Returns the version.
CREATE FUNCTION change_entity(s INT, r UUID, clock BIGINT, is_live BOOLEAN) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
  v BIGINT;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(r::text, s));
  SELECT greatest(clock, coalesce(max(version), 0) + 1) INTO v FROM row_version WHERE schema_id = s AND row_id = r;
  DELETE FROM eav_data WHERE schema_id = s AND row_id = r;
  IF is_live THEN
    INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, text_01, bigint_01, ltbase_created_at, ltbase_updated_at)
      VALUES (s, r, 't' || v, v, v, v)
      ON CONFLICT (ltbase_schema_id, ltbase_row_id)
      DO UPDATE SET text_01 = excluded.text_01, bigint_01 = v, ltbase_updated_at = v;
    INSERT INTO eav_data (schema_id, row_id, attr_id, value_text) VALUES (s, r, 3, 'n' || v);
    INSERT INTO eav_data (schema_id, row_id, attr_id, value_numeric) VALUES (s, r, 4, v);
    INSERT INTO eav_data (schema_id, row_id, attr_id, array_indices, value_text)
      SELECT s, r, 5, i, v || '-' || i FROM generate_series(1, v % 4) i;
    IF v % 4 = 0 THEN
      INSERT INTO eav_data (schema_id, row_id, attr_id) VALUES (s, r, 5);
    END IF;
  ELSE
    DELETE FROM entity_main WHERE ltbase_schema_id = s AND ltbase_row_id = r;
  END IF;
  INSERT INTO change_log (schema_id, row_id, flushed_at, changed_at, deleted_at)
    VALUES (s, r, 0, v, CASE WHEN NOT is_live THEN v END)
    ON CONFLICT (schema_id, row_id, flushed_at)
    DO UPDATE SET changed_at = excluded.changed_at, deleted_at = excluded.deleted_at;
  INSERT INTO row_version VALUES (s, r, v, is_live)
    ON CONFLICT (schema_id, row_id) DO UPDATE SET version = excluded.version, is_live = excluded.is_live;
  RETURN v;
END $$;
