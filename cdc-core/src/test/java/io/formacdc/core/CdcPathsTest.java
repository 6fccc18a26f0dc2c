package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CdcPathsTest {
    private static final UUID FILE = UUID.fromString("01890a5d-ac96-774b-bcce-b302099a8057");
    private static final UUID OTHER = UUID.fromString("01890a5d-ac96-774b-bcce-b302099a8058");

    @Test
    void keysLieUnderThePrefixAndTheSchema() {
        assertThat(CdcPaths.buildDeltaPath("p/q", 7, FILE)).isEqualTo("p/q/7/" + FILE + ".parquet");
        assertThat(CdcPaths.buildTempPath("p/q", 7, FILE)).isEqualTo("p/q/7/_tmp/" + FILE + ".parquet");
        assertThat(CdcPaths.buildBasePath("p/q", 7, FILE, OTHER)).isEqualTo("p/q/7/" + FILE + "_" + OTHER + ".parquet");
        assertThat(CdcPaths.buildBasePath("p/q", 7, FILE, OTHER, FILE))
                .isEqualTo("p/q/7/" + FILE + "_" + OTHER + "_" + FILE + ".parquet");
        assertThat(CdcPaths.buildBaseTempPath("p/q", 7, FILE)).isEqualTo("p/q/7/_tmp/" + FILE + ".parquet");
    }

    @ParameterizedTest
    @CsvSource({"'', 7/", "/, 7/", "p, p/7/", "p/, p/7/", "p//, p//7/", "/p/, /p/7/"})
    void oneTrailingSlashIsTrimmedAndAnEmptyPrefixLeavesNone(String prefix, String folder) {
        assertThat(CdcPaths.buildDeltaPath(prefix, 7, FILE)).isEqualTo(folder + FILE + ".parquet");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 32_768})
    void schemaIdsOutOfRangeAreRefused(int schemaId) {
        assertThatThrownBy(() -> CdcPaths.buildDeltaPath("p", schemaId, FILE))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> CdcPaths.buildTempPath("p", schemaId, FILE))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> CdcPaths.buildBasePath("p", schemaId, FILE, FILE))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> CdcPaths.buildBaseTempPath("p", schemaId, FILE))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
