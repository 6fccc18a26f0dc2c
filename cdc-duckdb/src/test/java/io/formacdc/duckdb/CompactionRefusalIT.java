package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionConfigBuilder;
import io.formacdc.core.CompactionReport.Outcome;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.SchemaCompactionException;
import io.formacdc.manifest.ManifestEntry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A source that is not what the manifest says ends a compaction before it has changed anything. */
class CompactionRefusalIT {
    private static final CompactionConfig COMPACTION = compaction();

    @TempDir
    Path folder;

    private TestHost host;
    private BrokenLake lake;

    /** Fifty rows in a base file, which the next compaction rewrites because thirty of them are in a delta. */
    @BeforeEach
    void open() throws SQLException {
        host = new TestHost();
        lake = new BrokenLake(host, folder);
        lake.entities.insertMany(50);
        lake.flush();
        Cdc.compact(lake.config, COMPACTION, host.client);
        for (int n = 1; n <= 30; n++) {
            lake.entities.update(host.connection, lake.entities.id(n), Entities.FIRST_VERSION + 1000 + n);
        }
        Cdc.runOnce(lake.config.toBuilder().batchSize(30).build(), host.client, false, Entities.REGISTRY);
    }

    @AfterEach
    void close() throws SQLException {
        host.close();
    }

    /** Where size and checksum are listed they tell it, and where older deployments left them out, the content does. */
    @ParameterizedTest
    @CsvSource({
        "base, a byte is another, listed",
        "base, cut off, listed",
        "base, cut off, left out",
        "base, no Parquet, left out",
        "base, the other file, listed",
        "base, another schema, left out",
        "base, no system columns, left out",
        "base, gone, listed",
        "delta, a byte is another, listed",
        "delta, cut off, listed",
        "delta, cut off, left out",
        "delta, no Parquet, left out",
        "delta, the other file, listed",
        "delta, another schema, left out",
        "delta, no system columns, left out",
        "delta, gone, listed",
    })
    void whatIsNotAsListedIsRefusedByNameAndNothingIsChanged(String level, String damage, String checks)
            throws Exception {
        String key = keyOf(level);
        spoil(key, damage, keyOf(level.equals("base") ? "delta" : "base"));
        if (checks.equals("left out")) {
            lake.relist(key, entry -> entry.checksum(null).sizeBytes(null));
        }
        List<ObjectInfo> before = host.objects();

        SchemaCompactionException e = catchThrowableOfType(
                SchemaCompactionException.class, () -> Cdc.compact(lake.config, COMPACTION, host.client));

        assertThat(e).hasMessageContaining("schema 7").hasMessageContaining(key);
        assertThat(e.report().schemas().get(0).outcome()).isEqualTo(Outcome.FAILED);
        assertThat(host.objects()).isEqualTo(before);
    }

    private void spoil(String key, String damage, String otherKey) throws Exception {
        byte[] content = host.store().get(key).content();
        switch (damage) {
            case "a byte is another" -> {
                content[content.length / 2] ^= 1;
                lake.write(key, content);
            }
            case "cut off" -> lake.write(key, Arrays.copyOf(content, content.length / 2));
            case "no Parquet" -> lake.write(key, "not a Parquet file".getBytes(StandardCharsets.UTF_8));
            case "the other file" -> host.store().copy(otherKey, key);
            case "another schema" -> lake.rewrite(key, "SELECT * REPLACE (8::SMALLINT AS schema_id) FROM f");
            case "no system columns" -> lake.rewrite(key, "SELECT title, amount FROM f");
            case "gone" -> host.store().delete(key);
            default -> throw new IllegalArgumentException(damage);
        }
    }

    private String keyOf(String level) {
        List<String> keys = lake.manifest().entries().stream()
                .filter(entry -> entry.level().equals(level))
                .map(ManifestEntry::key)
                .toList();
        assertThat(keys).hasSize(1);
        return keys.get(0);
    }

    private static CompactionConfig compaction() {
        CompactionConfigBuilder builder = CompactionConfig.builder().schemaId(BrokenLake.SCHEMA);
        return builder.targetBaseSizeMb(1).build();
    }
}
