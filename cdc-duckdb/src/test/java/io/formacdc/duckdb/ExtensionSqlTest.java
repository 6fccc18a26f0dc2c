package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.Attribute;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.TableName;
import io.formacdc.core.ValueType;
import io.formacdc.s3.S3Access;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ExtensionSqlTest {
    private static final TableCatalog TABLES = new TableCatalog(
            TableName.parse("entity_main"), Map.of("it's", PgType.TEXT), Map.of("value_numeric", PgType.NUMERIC));
    private static final CdcConfig CONFIG = CdcConfig.builder()
            .pgHost("db.example")
            .pgUser("o'neil")
            .pgPassword("pa ss'w\\ord")
            .pgDb("d")
            .changeLogTable("ten'ant.change_log")
            .s3Bucket("bucket")
            .build()
            .withDefaults();

    private static ExtensionSql sql(PgQueries queries, String rowIds) {
        SchemaAttributes attributes = new SchemaAttributes(
                "s", List.of(Attribute.bound("a", 1, ValueType.TEXT, "it's"), Attribute.eav("b", 2, ValueType.BIGINT)));
        return new ExtensionSql(
                7,
                Projection.of(TABLES, attributes),
                queries,
                new RowIdInterval(null, new UUID(0, 9)),
                CONFIG,
                rowIds.isEmpty() ? null : rowIds);
    }

    @Test
    void tableNamesAreQuotedForPostgresAndTheStatementOnceMoreForDuckDb() {
        ExtensionSql sql = sql(PgQueries.ofDirtyRows(CONFIG, 7), "");
        assertThat(sql.postgres()).contains("FROM \"ten'ant\".\"change_log\"").contains(", \"it's\"");
        assertThat(sql.readRows())
                .startsWith("CREATE TEMP TABLE forma_cdc_rows AS SELECT row_id::UUID AS row_id, changed_at")
                .contains("FROM postgres_query('forma_cdc_postgres', 'SELECT h.c0 AS row_id")
                .contains("\"ten''ant\".\"change_log\"")
                .contains("row_id <= ''00000000-0000-0000-0000-000000000009''")
                .endsWith("')");
        assertThat(sql.readRows().split("postgres_query", -1)).hasSize(2);
    }

    @Test
    void givenIdsAreInTheTextOnce() {
        ExtensionSql sql = sql(PgQueries.ofDirtyRows(CONFIG, 7).among(ExtensionSql.GIVEN_IDS), "{0-0}");
        assertThat(sql.postgres())
                .startsWith("WITH forma_cdc_given AS MATERIALIZED (SELECT unnest('{0-0}'::uuid[]) AS id) SELECT ");
        assertThat(sql.postgres().split("\\{0-0}", -1)).hasSize(2);
    }

    @Test
    void connectionStringIsQuotedForLibpqAndOnceMoreForDuckDb() {
        assertThat(PgDsn.of(CONFIG).text())
                .startsWith("host='db.example' port='5432' user='o\\'neil' password='pa ss\\'w\\\\ord' dbname='d'"
                        + " sslmode='require'");
        assertThat(ExtensionSql.attach(PgDsn.of(CONFIG)))
                .startsWith(
                        "ATTACH 'host=''db.example'' port=''5432'' user=''o\\''neil'' password=''pa ss\\''w\\\\ord''")
                .endsWith("' AS forma_cdc_postgres (TYPE postgres, READ_ONLY)");
        assertThat(PgDsn.of("postgresql://u:p%40ss@[::1]:5433/d?sslmode=disable")
                        .text())
                .startsWith("host='::1' port='5433' user='u' password='p@ss' dbname='d' sslmode='disable'");
        assertThat(PgDsn.of(CONFIG)).hasToString("PgDsn");
    }

    @Test
    void targetIsQuoted() {
        assertThat(sql(PgQueries.ofDirtyRows(CONFIG, 7), "").copyTo("s3://bucket/it's/7/_tmp/x.parquet", new Wanted(0)))
                .contains(" TO 's3://bucket/it''s/7/_tmp/x.parquet' (FORMAT PARQUET,");
    }

    @Test
    void secretIsScopedToTheBucketAndLivesNoLongerThanTheSession() {
        S3Access access = new S3Access("bucket", "k'ey", "sec'ret", "", "eu-west-1", "localhost:9000", false, true);
        assertThat(ExtensionSql.createSecret(access))
                .isEqualTo("CREATE SECRET forma_cdc_s3 (TYPE s3, PROVIDER config, SCOPE 's3://bucket', KEY_ID 'k''ey',"
                        + " SECRET 'sec''ret', REGION 'eu-west-1', ENDPOINT 'localhost:9000', URL_STYLE 'path',"
                        + " USE_SSL false)");
        S3Access onAws = new S3Access("bucket", "k", "s", "to'ken", "eu-west-1", "", true, false);
        assertThat(ExtensionSql.createSecret(onAws))
                .contains("SESSION_TOKEN 'to''ken'")
                .contains("URL_STYLE 'vhost', USE_SSL true")
                .doesNotContain("ENDPOINT", "PERSISTENT");
        assertThat(access.toString() + onAws).doesNotContain("ret", "ken");
    }

    @Test
    void secretsAreTakenOutOfMessagesInEveryQuoting() {
        PgDsn dsn = PgDsn.of(CONFIG);
        Redaction redaction = Redaction.of(dsn.text(), dsn.password(), "sec'ret", "");
        String message = "at \"" + dsn.text() + "\": " + ExtensionSql.attach(dsn) + " " + dsn.password()
                + " pa ss\\'w\\\\ord, SECRET 'sec''ret' sec'ret";
        assertThat(redaction.redact(message)).doesNotContain("pa ss", "sec").contains("at \"***\": ATTACH '***' AS ");
        assertThat(redaction).hasToString("Redaction");
        assertThat(Redaction.of("").redact("nothing")).isEqualTo("nothing");
    }
}
