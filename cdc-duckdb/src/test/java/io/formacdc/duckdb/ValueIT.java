package io.formacdc.duckdb;

import static io.formacdc.core.ValueType.BIGINT;
import static io.formacdc.core.ValueType.BOOL;
import static io.formacdc.core.ValueType.DATE;
import static io.formacdc.core.ValueType.DATETIME;
import static io.formacdc.core.ValueType.INTEGER;
import static io.formacdc.core.ValueType.NUMERIC;
import static io.formacdc.core.ValueType.SMALLINT;
import static io.formacdc.core.ValueType.TEXT;
import static io.formacdc.core.ValueType.UNKNOWN;
import static io.formacdc.core.ValueType.UUID;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.formacdc.core.Attribute;
import io.formacdc.core.ColumnBinding;
import io.formacdc.core.ColumnEncoding;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.ValueType;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every cell of the type tables of contract section 4, written as SQL literals and compared with what the contract says
 * is in the lake. A column of cases is one attribute; a value is one row.
 */
class ValueIT {
    private static final String ID = "fedcba98-7654-3210-8000-0123456789ab";

    /**
     * A value and what becomes of it.
     *
     * @param written SQL literal, NULL included; for EAV {@code text | numeric}, or several of these with indices
     * @param expected as DuckDB prints it; null for NULL
     * @param lossy whether it does not fit, so that it, or an item of it, is NULL
     */
    private record Value(String written, @Nullable String expected, boolean lossy) {}

    /** Where a case has fewer values than there are rows. */
    private static final Value NOTHING = new Value("", null, false);

    /** An attribute and its values. */
    private record Case(ValueType type, String place, ColumnEncoding encoding, String lakeType, List<Value> values) {
        String name(int number) {
            // What is folded for the file must not be folded in the report.
            return "%s in %s.%d".formatted(type, place.replaceAll("[^a-z0-9]", "-"), number);
        }
    }

    /** Values are {@code written => expected}, {@code NULL} for NULL, and {@code LOSSY} before what is counted. */
    private static Case of(ValueType type, String place, ColumnEncoding encoding, String lakeType, String... values) {
        List<Value> parsed = new ArrayList<>();
        for (String value : values) {
            String[] parts = value.split(" => ", -1);
            boolean lossy = parts[1].startsWith("LOSSY ");
            String expected = lossy ? parts[1].substring("LOSSY ".length()) : parts[1];
            parsed.add(new Value(parts[0], expected.equals("NULL") ? null : expected, lossy));
        }
        return new Case(type, place, encoding, lakeType, parsed);
    }

    private static Case of(ValueType type, String place, String lakeType, String... values) {
        return of(type, place, ColumnEncoding.DEFAULT, lakeType, values);
    }

    private static final List<Case> BOUND = List.of(
            of(
                    TEXT,
                    "text",
                    "VARCHAR",
                    "'' => ",
                    "'it''s \"quoted\" \\ ' => it's \"quoted\" \\ ",
                    "E'line\\nbreak\\ttab\\r' => line\nbreak\ttab\r",
                    "'größe 漢字 😀 \uD83D\uDC68\u200D\uD83D\uDC69' => größe 漢字 😀 \uD83D\uDC68\u200D\uD83D\uDC69",
                    "'null' => null",
                    "NULL => NULL"),
            of(UNKNOWN, "text", "VARCHAR", "'x' => x", "NULL => NULL"),
            of(TEXT, "varchar(5)", "VARCHAR", "'a  ' => a  ", "NULL => NULL"),
            of(TEXT, "char(5)", "VARCHAR", "'ab' => ab", "NULL => NULL"),
            of(TEXT, "bigint", "VARCHAR", "-9223372036854775808 => -9223372036854775808"),
            of(TEXT, "numeric", "VARCHAR", "12345678901234567890.50 => 12345678901234567890.50", "'NaN' => NaN"),
            of(TEXT, "double precision", "VARCHAR", "0.1 => 0.1", "'-Infinity' => -Infinity"),
            of(TEXT, "boolean", "VARCHAR", "true => true", "NULL => NULL"),
            of(TEXT, "uuid", "VARCHAR", "'" + ID + "' => " + ID),
            of(TEXT, "timestamptz", "VARCHAR", "NULL => NULL"),
            of(TEXT, "mood", "VARCHAR", "'happy' => happy", "NULL => NULL"),
            of(TEXT, "jsonb", "VARCHAR", "'{\"a\": [1]}' => {\"a\": [1]}"),
            of(SMALLINT, "smallint", "SMALLINT", "-32768 => -32768", "32767 => 32767", "NULL => NULL"),
            of(SMALLINT, "integer", "SMALLINT", "32767 => 32767", "32768 => LOSSY NULL", "-32769 => LOSSY NULL"),
            of(SMALLINT, "small_domain", "SMALLINT", "5 => 5", "NULL => NULL"),
            of(
                    SMALLINT,
                    "text",
                    "SMALLINT",
                    "' 12 ' => 12",
                    "'70000' => LOSSY NULL",
                    "'x' => LOSSY NULL",
                    "'' => LOSSY NULL"),
            of(INTEGER, "integer", "INTEGER", "-2147483648 => -2147483648", "2147483647 => 2147483647"),
            of(INTEGER, "bigint", "INTEGER", "2147483648 => LOSSY NULL", "-2147483648 => -2147483648"),
            of(INTEGER, "numeric", "INTEGER", "7.0 => 7", "7.5 => LOSSY NULL", "'NaN' => LOSSY NULL"),
            of(INTEGER, "real", "INTEGER", "16777216 => 16777216", "0.5 => LOSSY NULL"),
            of(INTEGER, "boolean", "INTEGER", "true => 1", "false => 0"),
            of(
                    BIGINT,
                    "bigint",
                    "BIGINT",
                    "9007199254740993 => 9007199254740993",
                    "-9223372036854775808 => -9223372036854775808",
                    "9223372036854775807 => 9223372036854775807",
                    "NULL => NULL"),
            of(
                    BIGINT,
                    "numeric",
                    "BIGINT",
                    "9007199254740993 => 9007199254740993",
                    "9223372036854775807 => 9223372036854775807",
                    "9223372036854775808 => LOSSY NULL",
                    "12345678901234567890 => LOSSY NULL",
                    "'Infinity' => LOSSY NULL"),
            of(BIGINT, "double precision", "BIGINT", "9007199254740992 => 9007199254740992", "1e19 => LOSSY NULL"),
            of(BIGINT, "text", "BIGINT", "'9007199254740993' => 9007199254740993", "'1e3' => 1000"),
            of(BIGINT, "mood", "BIGINT", "'happy' => LOSSY NULL"),
            of(
                    NUMERIC,
                    "double precision",
                    "DOUBLE",
                    "0.1 => 0.1",
                    "-0.0 => 0.0",
                    "'-0' => -0.0",
                    "5e-324 => 5e-324",
                    "1.7976931348623157e308 => 1.7976931348623157e+308",
                    "'NaN' => nan",
                    "'Infinity' => inf",
                    "'-Infinity' => -inf",
                    "NULL => NULL"),
            of(
                    NUMERIC,
                    "numeric",
                    "DOUBLE",
                    "12345678901234567890 => 1.2345678901234567e+19",
                    "0.1 => 0.1",
                    "9007199254740993 => 9007199254740992.0",
                    "1e400 => LOSSY NULL",
                    "1e-400 => 0.0",
                    "'NaN' => nan",
                    "'Infinity' => inf"),
            of(NUMERIC, "real", "DOUBLE", "0.5 => 0.5", "0.1 => 0.10000000149011612", "'-Infinity' => -inf"),
            of(NUMERIC, "bigint", "DOUBLE", "9007199254740993 => 9007199254740992.0"),
            of(
                    NUMERIC,
                    "text",
                    "DOUBLE",
                    "'0.1' => 0.1",
                    "'1e400' => LOSSY NULL",
                    "'1d' => LOSSY NULL",
                    "'NaN' => nan"),
            of(NUMERIC, "money_domain", "DOUBLE", "12.5 => 12.5", "NULL => NULL"),
            of(NUMERIC, "timestamptz", "DOUBLE", "'2024-01-01 00:00:00+00' => LOSSY NULL"),
            of(
                    DATE,
                    "text",
                    "BIGINT",
                    "'1970-01-02' => 86400000",
                    "'0001-01-01' => -62135596800000",
                    "'9999-12-31' => 253402214400000",
                    "'12/31/1999' => LOSSY NULL",
                    "'' => LOSSY NULL",
                    "NULL => NULL"),
            of(DATE, "date", "BIGINT", "'0001-01-01' => -62135596800000", "'infinity' => LOSSY NULL"),
            of(DATE, "bigint", "BIGINT", "-62135596800000 => -62135596800000", "NULL => NULL"),
            of(DATE, "bigint", ColumnEncoding.UNIX_MS, "BIGINT", "1709210096123 => 1709210096123"),
            of(
                    DATETIME,
                    "text",
                    ColumnEncoding.ISO8601,
                    "BIGINT",
                    "'2024-02-29T14:34:56.789+0200' => 1709210096789",
                    "'2024-02-29 12:34:56' => 1709210096000",
                    "'1969-12-31T23:59:59.9995Z' => -1",
                    "'9999-12-31T23:59:59.999Z' => 253402300799999",
                    "'soon' => LOSSY NULL"),
            of(
                    DATETIME,
                    "timestamptz",
                    "BIGINT",
                    "'2024-02-29 14:34:56.789+02' => 1709210096789",
                    "'0001-01-01 00:00:00+00' => -62135596800000",
                    "'infinity' => LOSSY NULL"),
            of(DATETIME, "timestamp", ColumnEncoding.ISO8601, "BIGINT", "'2024-02-29 12:34:56' => 1709210096000"),
            of(DATETIME, "numeric", "BIGINT", "1709210096123.9 => 1709210096123", "-0.5 => -1"),
            of(UUID, "uuid", "UUID", "'" + ID + "' => " + ID, "NULL => NULL"),
            of(
                    UUID,
                    "uuid",
                    "UUID",
                    "'00000000-0000-0000-0000-000000000000' => 00000000-0000-0000-0000-000000000000",
                    "'ffffffff-ffff-ffff-ffff-ffffffffffff' => ffffffff-ffff-ffff-ffff-ffffffffffff"),
            of(UUID, "text", "UUID", "upper('" + ID + "') => " + ID, "'no id' => LOSSY NULL", "NULL => NULL"),
            of(UUID, "char(40)", "UUID", "'" + ID + "' => " + ID),
            of(
                    BOOL,
                    "smallint",
                    ColumnEncoding.BOOL_SMALLINT,
                    "BOOLEAN",
                    "2 => true",
                    "1 => true",
                    "0 => false",
                    "-1 => false",
                    "NULL => NULL"),
            of(
                    BOOL,
                    "text",
                    ColumnEncoding.BOOL_TEXT,
                    "BOOLEAN",
                    "'1' => true",
                    "'true' => true",
                    "'TRUE' => false",
                    "'' => false",
                    "'0' => false",
                    "NULL => NULL"),
            of(BOOL, "smallint", "BOOLEAN", "2 => true", "0 => false", "NULL => NULL"),
            of(BOOL, "text", "BOOLEAN", "'1' => true", "'false' => false", "NULL => NULL"),
            of(BOOL, "char(4)", ColumnEncoding.BOOL_TEXT, "BOOLEAN", "'1' => true", "'0' => false"),
            of(BOOL, "boolean", "BOOLEAN", "true => true", "false => false", "NULL => NULL"),
            of(BOOL, "numeric", "BOOLEAN", "0.5 => false", "0.50000000000000000001 => true", "1e400 => true"),
            of(BOOL, "real", "BOOLEAN", "0.5 => false", "0.51 => true"));

    /** EAV values are {@code indices | text | numeric}, several of them apart by a semicolon, nothing for no row. */
    private static final List<Case> EAV = List.of(
            of(
                    TEXT,
                    "scalar",
                    "VARCHAR",
                    "|''|NULL => ",
                    "|E'\\n''\"😀'|NULL => \n'\"😀",
                    "|NULL|5 => LOSSY NULL",
                    "|NULL|NULL => NULL",
                    " => NULL"),
            of(UNKNOWN, "scalar", "VARCHAR", "|'x'|NULL => x", " => NULL"),
            of(SMALLINT, "scalar", "DOUBLE", "|NULL|70000 => 70000.0", "|NULL|0.5 => 0.5", "|'7'|NULL => LOSSY NULL"),
            of(INTEGER, "scalar", "DOUBLE", "|NULL|3000000000 => 3000000000.0", " => NULL"),
            of(
                    BIGINT,
                    "scalar",
                    "BIGINT",
                    "|NULL|9007199254740992 => 9007199254740992",
                    "|NULL|-9223372036854775808 => -9223372036854775808",
                    "|NULL|1e19 => LOSSY NULL",
                    "|NULL|1.5 => LOSSY NULL",
                    "|NULL|'NaN' => LOSSY NULL",
                    " => NULL"),
            of(
                    NUMERIC,
                    "scalar",
                    "DOUBLE",
                    "|NULL|0.1 => 0.1",
                    "|NULL|12345678901234567890 => 1.2345678901234567e+19",
                    "|NULL|'NaN' => nan",
                    "|NULL|'-Infinity' => -inf",
                    " => NULL"),
            of(
                    DATE,
                    "scalar",
                    "BIGINT",
                    "|NULL|-62135596800000 => -62135596800000",
                    "|NULL|253402300799999 => 253402300799999",
                    "|NULL|-0.5 => -1",
                    "|'2024-01-01'|NULL => LOSSY NULL",
                    " => NULL"),
            of(DATETIME, "scalar", "BIGINT", "|NULL|1709210096123.75 => 1709210096123", "|NULL|1e30 => LOSSY NULL"),
            of(UUID, "scalar", "VARCHAR", "|'" + ID + "'|NULL => " + ID, "|'no id'|NULL => no id"),
            of(
                    BOOL,
                    "scalar",
                    "BOOLEAN",
                    "|NULL|1 => true",
                    "|NULL|0 => false",
                    "|NULL|0.3 => false",
                    "|NULL|0.5 => false",
                    "|NULL|0.51 => true",
                    "|NULL|NULL => NULL",
                    " => NULL"),
            of(
                    TEXT,
                    "list",
                    "VARCHAR[]",
                    "|NULL|NULL => []",
                    " => NULL",
                    "|'legacy'|NULL => [legacy]",
                    "0|'a'|NULL;1|NULL|NULL;2|''|NULL => [a, NULL, '']",
                    "10|'k'|NULL;9|'j'|NULL;2|'c'|NULL;100|'z'|NULL => [c, j, k, z]",
                    "|NULL|NULL;0|'a'|NULL => [a]",
                    "1,10|'d'|NULL;1,2|'c'|NULL;0,5|'b'|NULL;0|'a'|NULL => [a, b, c, d]",
                    "2,0,10|'f'|NULL;2,0,2|'e'|NULL;1,9,9|'d'|NULL => [d, e, f]"),
            of(UNKNOWN, "list", "VARCHAR[]", "0|'x'|NULL => [x]"),
            of(SMALLINT, "list", "DOUBLE[]", "0|NULL|1;1|NULL|70000 => [1.0, 70000.0]", "|NULL|NULL => []"),
            of(INTEGER, "list", "DOUBLE[]", "|NULL|5 => [5.0]", " => NULL"),
            of(
                    BIGINT,
                    "list",
                    "BIGINT[]",
                    "0|NULL|-9223372036854775808;1|NULL|NULL;2|NULL|7 => [-9223372036854775808, NULL, 7]",
                    "0|NULL|1.5;1|NULL|2 => LOSSY [NULL, 2]",
                    "|NULL|NULL => []",
                    " => NULL"),
            of(NUMERIC, "list", "DOUBLE[]", "1|NULL|0.1;0|NULL|'NaN' => [nan, 0.1]"),
            of(DATE, "list", "BIGINT[]", "0|NULL|-1;1|NULL|86400000 => [-1, 86400000]"),
            of(DATETIME, "list", "BIGINT[]", "0|NULL|0.9 => [0]", "|NULL|NULL => []"),
            of(UUID, "list", "VARCHAR[]", "0|'" + ID + "'|NULL => [" + ID + "]"),
            of(
                    BOOL,
                    "list",
                    "BOOLEAN[]",
                    "0|NULL|1;1|NULL|0;2|NULL|NULL;3|NULL|0.51 => [true, false, NULL, true]",
                    "|NULL|NULL => []",
                    "|NULL|0 => [false]"));

    @TestFactory
    Collection<DynamicTest> hotColumns() throws SQLException {
        try (TestHost host = new TestHost()) {
            StringBuilder ddl = new StringBuilder("CREATE TYPE mood AS ENUM ('happy', 'sad');"
                    + " CREATE DOMAIN small_domain AS smallint CHECK (VALUE < 10);"
                    + " CREATE DOMAIN money_base AS numeric; CREATE DOMAIN money_domain AS money_base;"
                    + " DROP TABLE entity_main; CREATE TABLE entity_main (ltbase_schema_id SMALLINT NOT NULL,"
                    + " ltbase_row_id UUID NOT NULL, ltbase_created_at BIGINT NOT NULL,"
                    + " ltbase_updated_at BIGINT NOT NULL, ltbase_deleted_at BIGINT");
            for (int i = 0; i < BOUND.size(); i++) {
                ddl.append(", \"Hot ")
                        .append(i)
                        .append("\" ")
                        .append(BOUND.get(i).place());
            }
            host.sql(ddl + ", PRIMARY KEY (ltbase_schema_id, ltbase_row_id))");
            List<Attribute> attributes = new ArrayList<>();
            for (int i = 0; i < BOUND.size(); i++) {
                Case column = BOUND.get(i);
                ColumnBinding binding = new ColumnBinding("Hot " + i, column.encoding());
                attributes.add(new Attribute(column.name(i), i + 1, column.type(), null, binding, false));
            }
            for (int row = 0; row < 12; row++) {
                host.insert(1, rowId(row), row + 1);
                for (int i = 0; i < BOUND.size(); i++) {
                    if (row < BOUND.get(i).values().size()) {
                        host.sql("UPDATE entity_main SET \"Hot " + i + "\" = "
                                + BOUND.get(i).values().get(row).written() + " WHERE ltbase_row_id = '" + rowId(row)
                                + "'");
                    }
                }
            }
            return compare(host, BOUND, attributes);
        }
    }

    @TestFactory
    Collection<DynamicTest> eavNumeric() throws SQLException {
        try (TestHost host = new TestHost()) {
            return eav(host, EAV);
        }
    }

    /** As far as a double holds the same. */
    @TestFactory
    Collection<DynamicTest> eavDoublePrecision() throws SQLException {
        try (TestHost host = new TestHost()) {
            host.sql("ALTER TABLE eav_data ALTER value_numeric TYPE DOUBLE PRECISION");
            return eav(host, EAV);
        }
    }

    /** What a double could not hold. */
    @TestFactory
    Collection<DynamicTest> eavBeyondDouble() throws SQLException {
        try (TestHost host = new TestHost()) {
            return eav(
                    host,
                    List.of(
                            of(
                                    BIGINT,
                                    "scalar",
                                    "BIGINT",
                                    "|NULL|9007199254740993 => 9007199254740993",
                                    "|NULL|9223372036854775807 => 9223372036854775807",
                                    "|NULL|9223372036854775808 => LOSSY NULL",
                                    "|NULL|-9223372036854775809 => LOSSY NULL"),
                            of(BIGINT, "list", "BIGINT[]", "0|NULL|9007199254740993 => [9007199254740993]"),
                            of(NUMERIC, "scalar", "DOUBLE", "|NULL|1e400 => LOSSY NULL", "|NULL|1e-400 => 0.0"),
                            of(BOOL, "scalar", "BOOLEAN", "|NULL|0.50000000000000000001 => true")));
        }
    }

    private static Collection<DynamicTest> eav(TestHost host, List<Case> cases) throws SQLException {
        List<Attribute> attributes = new ArrayList<>();
        for (int i = 0; i < cases.size(); i++) {
            Case column = cases.get(i);
            attributes.add(
                    column.place().equals("list")
                            ? Attribute.list(column.name(i), i + 1, column.type())
                            : Attribute.eav(column.name(i), i + 1, column.type()));
        }
        for (int row = 0; row < 12; row++) {
            host.insert(1, rowId(row), row + 1);
            for (int i = 0; i < cases.size(); i++) {
                if (row < cases.get(i).values().size()) {
                    insertEav(host, row, i + 1, cases.get(i).values().get(row).written());
                }
            }
            // An attribute that nobody declared is passed over.
            host.insertEav(1, rowId(row), 9999, "", "unknown", "1");
        }
        return compare(host, cases, attributes);
    }

    private static void insertEav(TestHost host, int row, int attrId, String written) throws SQLException {
        for (String value : written.isEmpty() ? new String[0] : written.split(";", -1)) {
            String[] parts = value.split("\\|", -1);
            host.sql("INSERT INTO eav_data VALUES (1, '" + rowId(row) + "', " + attrId + ", '" + parts[0] + "', "
                    + parts[1] + ", " + parts[2] + ")");
        }
    }

    private static Collection<DynamicTest> compare(TestHost host, List<Case> cases, List<Attribute> attributes)
            throws SQLException {
        SchemaRegistry registry = TestHost.registry(1, new SchemaAttributes("cells", attributes));
        SchemaFlush flush = host.flush(registry).schema(1).orElseThrow();
        List<DynamicTest> tests = new ArrayList<>();
        Map<String, Long> lossy = new TreeMap<>();
        try (Lake lake = host.lake(1)) {
            for (int i = 0; i < cases.size(); i++) {
                Case column = cases.get(i);
                Attribute attribute = attributes.get(i);
                String lakeColumn = '"' + attribute.columnName() + '"';
                List<String> found = new ArrayList<>();
                List<String> wanted = new ArrayList<>();
                for (List<@Nullable String> row : TestHost.rows(
                        lake.connection(),
                        "SELECT " + lakeColumn + "::VARCHAR, typeof(" + lakeColumn + ") FROM lake ORDER BY row_id")) {
                    int n = found.size();
                    Value value = n < column.values().size() ? column.values().get(n) : NOTHING;
                    found.add(value.written() + " => " + row.get(0) + " of type " + row.get(1));
                    wanted.add(value.written() + " => " + value.expected() + " of type " + column.lakeType());
                    if (value.lossy()) {
                        lossy.merge(attribute.name(), 1L, Long::sum);
                    }
                }
                tests.add(dynamicTest(attribute.name(), () -> assertThat(found).isEqualTo(wanted)));
            }
        }
        tests.add(dynamicTest(
                "every row is in the lake", () -> assertThat(flush.markedRows()).isEqualTo(12)));
        tests.add(dynamicTest(
                "what does not fit is counted by attribute",
                () -> assertThat(new TreeMap<>(flush.lossyCasts())).isEqualTo(lossy)));
        return tests;
    }

    /** Ascending in byte order, the later ones with the top bit set. */
    private static java.util.UUID rowId(int row) {
        return new java.util.UUID((row * 0x12345678L) << 32, 0);
    }
}
