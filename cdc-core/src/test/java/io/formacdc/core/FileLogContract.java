package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.FileLog.Appender;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What every {@link FileLog} with a fence must do. Each test begins with empty lists. */
public abstract class FileLogContract {
    protected abstract FileLog fileLog();

    /** What a reader finds listed, in order. */
    protected abstract List<String> listed(int schemaId);

    private static FlushedFile file(int schemaId, int number) {
        FileContents contents = new FileContents(
                10,
                123,
                "sha256:" + "0".repeat(64),
                new FileContents.RowIdRange(new UUID(0, 1), new UUID(-1, 2)),
                new FileContents.VersionRange(1, 9),
                Map.of("row_id", "UUID"));
        return new FlushedFile(key(schemaId, number), contents);
    }

    private static String key(int schemaId, int number) {
        return CdcPaths.buildDeltaPath("data", schemaId, new UUID(0x7000L, number));
    }

    @Test
    void openingListsNothing() {
        fileLog().open(7);
        assertThat(listed(7)).isEmpty();
    }

    @Test
    void aPassListsAnyNumberOfFiles() {
        Appender appender = fileLog().open(7);
        appender.append(file(7, 1));
        appender.append(file(7, 2));
        assertThat(listed(7)).containsExactly(key(7, 1), key(7, 2));
    }

    @Test
    void ofTwoFlushesOpenedAtOneTimeOneIsFencedForGood() {
        Appender first = fileLog().open(7);
        Appender second = fileLog().open(7);
        first.append(file(7, 1));
        assertThatThrownBy(() -> second.append(file(7, 2)))
                .isInstanceOf(FencedException.class)
                .hasMessageContaining("schema 7");
        assertThatThrownBy(() -> second.append(file(7, 3))).isInstanceOf(FencedException.class);
        first.append(file(7, 4));
        assertThat(listed(7)).containsExactly(key(7, 1), key(7, 4));
    }

    @Test
    void aFlushBetweenTwoAppendsFencesTheSecond() {
        Appender appender = fileLog().open(7);
        appender.append(file(7, 1));
        fileLog().open(7).append(file(7, 2));
        assertThatThrownBy(() -> appender.append(file(7, 3))).isInstanceOf(FencedException.class);
        assertThat(listed(7)).containsExactly(key(7, 1), key(7, 2));
    }

    @Test
    void aFlushOfAnotherSchemaFencesNobody() {
        Appender appender = fileLog().open(7);
        fileLog().open(8).append(file(8, 1));
        appender.append(file(7, 1));
        assertThat(listed(7)).containsExactly(key(7, 1));
        assertThat(listed(8)).containsExactly(key(8, 1));
    }
}
