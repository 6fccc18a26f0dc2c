package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.UuidV7;
import io.formacdc.core.ValueType;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.manifest.FileSchemaRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tables, the attributes and the types of the pages are those that the code works with. */
class TablesPageIT {
    @Test
    void theTablesAreThoseThatTheTestsWorkOn() {
        assertThat(PagesIT.blocks("TABLES.md", "sql")).containsExactly(LocalPostgres.ddl());
    }

    @Test
    void theAttributesOfThePageMakeItsColumns(@TempDir Path folder) throws Exception {
        Files.writeString(
                folder.resolve("shop_attributes.json"),
                PagesIT.blocks("TABLES.md", "json").get(0));
        FileSchemaRegistry registry = FileSchemaRegistry.load(folder, Map.of("shop", 7));
        assertThat(registry.problems()).isEmpty();
        UUID id = UuidV7.next();
        try (TestHost host = new TestHost()) {
            host.insert(7, id, 1);
            host.sql("UPDATE entity_main SET text_01 = 'lamp', smallint_01 = 1");
            host.insertEav(7, id, 3, "", null, "9.5");
            host.insertEav(7, id, 4, "", null, "86400000");
            host.insertEav(7, id, 5, "0", "new", null);
            assertThat(columns(host, registry)).containsExactly(textBlock(0).split("\\s+", -1));
            try (Lake lake = host.lake(7)) {
                assertThat(TestHost.rows(lake.connection(), "SELECT active, title, price_net, sold_at, tags FROM lake"))
                        .containsExactly(row("true", "lamp", "9.5", "86400000", "[new]"));
            }
        }
    }

    @Test
    void withoutARegistryTheRestIsTheListOfThePage() throws SQLException {
        try (TestHost host = new TestHost()) {
            host.insert(7, UuidV7.next(), 1);
            List<String> columns = columns(host, null);
            assertThat(columns).contains("text_01", "uuid_02").last().isEqualTo("attributes");
            try (Lake lake = host.lake(7)) {
                assertThat("attributes  "
                                + TestHost.column(lake.connection(), "SELECT typeof(attributes) FROM lake")
                                        .get(0))
                        .isEqualTo(textBlock(1));
            }
        }
    }

    @Test
    void theTypesOfTheReadersPageAreThoseOfTheFiles() {
        Set<ValueType> named = EnumSet.noneOf(ValueType.class);
        Pattern line = Pattern.compile("^\\| (.+) \\| `([A-Z]+)` \\| `([A-Z]+)` \\|$", Pattern.MULTILINE);
        for (MatchResult row :
                line.matcher(PagesIT.page("READERS.md")).results().toList()) {
            for (String name : row.group(1).replace("`", "").split(", ", -1)) {
                ValueType type = ValueType.parse(name);
                named.add(type);
                assertThat(LakeType.ofBound(type).sql()).as(name).isEqualTo(row.group(2));
                assertThat(LakeType.ofEav(type).sql()).as(name).isEqualTo(row.group(3));
            }
        }
        assertThat(named).isEqualTo(EnumSet.complementOf(EnumSet.of(ValueType.LIST)));
    }

    @Test
    void theTypesOfTheAttributesAreAllNamed() {
        String page = PagesIT.page("TABLES.md");
        for (ValueType type : EnumSet.complementOf(EnumSet.of(ValueType.UNKNOWN))) {
            assertThat(page).contains("`" + type.name().toLowerCase(Locale.ROOT) + "`");
        }
    }

    private static List<String> columns(TestHost host, @Nullable SchemaRegistry registry) throws SQLException {
        host.flush(registry);
        try (Lake lake = host.lake(7)) {
            Connection duckDb = lake.connection();
            List<String> columns = new ArrayList<>();
            TestHost.column(duckDb, "SELECT column_name FROM (DESCRIBE lake)").forEach(name -> columns.add("" + name));
            return columns;
        }
    }

    private static List<@Nullable String> row(@Nullable String... values) {
        return Arrays.asList(values);
    }

    private static String textBlock(int number) {
        return PagesIT.blocks("TABLES.md", "text").get(number).strip();
    }
}
