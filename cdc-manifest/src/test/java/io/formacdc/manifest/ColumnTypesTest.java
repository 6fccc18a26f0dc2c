package io.formacdc.manifest;

import static io.formacdc.manifest.Manifests.SCHEMA;
import static io.formacdc.manifest.Manifests.contents;
import static io.formacdc.manifest.Manifests.flushKey;
import static io.formacdc.manifest.Manifests.keysOf;
import static io.formacdc.manifest.Manifests.objectsWithAnyFile;
import static io.formacdc.manifest.Manifests.store;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CdcException;
import io.formacdc.core.FileContents;
import io.formacdc.core.FileLog.Appender;
import io.formacdc.core.FlushedFile;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ColumnTypesTest {
    private final ManifestStore store = store(objectsWithAnyFile());
    private final ManifestFileLog log = new ManifestFileLog(store);

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            BIGINT            | VARCHAR           | true
            BOOLEAN           | DOUBLE            | true
            UUID              | UUID              | true
            uuid              | UUID              | true
            UUID              | VARCHAR           | false
            UUID              | BOOLEAN           | false
            BIGINT            | BIGINT[]          | false
            BIGINT[]          | VARCHAR[]         | true
            UUID[]            | VARCHAR[]         | false
            BIGINT[][]        | BIGINT[]          | false
            UUID              | UUID[]            | false
            STRUCT(a INTEGER) | STRUCT(b INTEGER) | true
            STRUCT(a INTEGER) | INTEGER           | false
            MAP(UUID, UUID)   | STRUCT(b INTEGER) | false
            """)
    void listsAndUuidsUniteWithTheirLike(String type, String other, boolean canUnite) {
        assertThat(ColumnTypes.canUnite(type, other)).isEqualTo(canUnite);
        assertThat(ColumnTypes.canUnite(other, type)).isEqualTo(canUnite);
    }

    @Test
    void aFileThatNobodyCouldReadWithTheListedOnesIsNotListed() {
        log.open(SCHEMA).append(file(1, Map.of("n", "BIGINT")));
        Appender appender = log.open(SCHEMA);
        appender.append(file(2, Map.of("n", "VARCHAR", "more", "UUID")));

        assertThatThrownBy(() -> appender.append(file(3, Map.of("N", "BIGINT[]"))))
                .isExactlyInstanceOf(CdcException.class)
                .hasMessageContainingAll(
                        "schema 7: column \"n\" is BIGINT[] now, but BIGINT in " + flushKey(1), "replacingDeltas()");

        assertThat(keysOf(store.load(SCHEMA).manifest())).containsExactly(flushKey(1), flushKey(2));
        appender.append(file(4, Map.of("n", "DOUBLE", "list", "BIGINT[]")));
        assertThat(keysOf(store.load(SCHEMA).manifest())).contains(flushKey(4));
    }

    private static FlushedFile file(int number, Map<String, String> columns) {
        FileContents contents = contents();
        return new FlushedFile(
                flushKey(number),
                new FileContents(
                        contents.rowCount(),
                        contents.sizeBytes(),
                        contents.checksum(),
                        contents.rowIds(),
                        contents.versions(),
                        columns));
    }
}
