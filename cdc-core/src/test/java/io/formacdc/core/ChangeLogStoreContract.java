package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.ChangeLogStore.DirtySchema;
import io.formacdc.core.ChangeLogStore.Locked;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What every {@link ChangeLogStore} must do. Each test begins with an empty log. */
public abstract class ChangeLogStoreContract {
    protected abstract ChangeLogStore store();

    /** As a writer does: gives slot 0 of a row a version. */
    protected abstract void dirty(int schemaId, UUID rowId, long changedAtMillis) throws Exception;

    /** All dirty rows of a schema, as an export would note them. */
    protected abstract RowVersions versions(int schemaId) throws Exception;

    private static UUID row(int number) {
        return new UUID(0, number);
    }

    @Test
    void nothingIsDirtyInAnEmptyLog() {
        assertThat(store().dirtySchemas()).isEmpty();
    }

    @Test
    void dirtySchemasAreListedInOrderWithTheirOldestVersion() throws Exception {
        dirty(9, row(1), 300);
        dirty(7, row(1), 200);
        dirty(7, row(2), 100);
        assertThat(store().dirtySchemas()).containsExactly(new DirtySchema(7, 2, 100), new DirtySchema(9, 1, 300));
    }

    @Test
    void aSchemaIdOutOfRangeIsListedAndRefusedWithoutStoppingTheOthers() throws Exception {
        dirty(-3, row(1), 100);
        dirty(0, row(1), 100);
        dirty(7, row(1), 100);
        assertThat(store().dirtySchemas().stream().map(DirtySchema::schemaId)).containsExactly(-3, 0, 7);
        assertThatThrownBy(() -> store().tryLock(-3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("schema id must be 1 to 32767, not -3");
    }

    @Test
    void aLockIsHeldByOneUntilItIsClosed() {
        try (Locked held = store().tryLock(7).orElseThrow()) {
            assertThat(store().tryLock(7)).isEmpty();
            store().tryLock(8).orElseThrow().close();
        }
        store().tryLock(7).orElseThrow().close();
    }

    @Test
    void countsAndMarksOfALockedSchemaAreItsOwn() throws Exception {
        dirty(7, row(1), 200);
        dirty(7, row(2), 100);
        dirty(8, row(1), 50);
        try (Locked locked = store().tryLock(7).orElseThrow()) {
            assertThat(locked.stats()).isEqualTo(new ChangeLog.Stats(2, 100));
            assertThat(locked.markFlushedVersions(versions(7), 1_000)).isEqualTo(2);
            assertThat(locked.stats()).isEqualTo(new ChangeLog.Stats(0, 0));
        }
        assertThat(store().dirtySchemas()).containsExactly(new DirtySchema(8, 1, 50));
    }

    @Test
    void aRowWithANewVersionStaysDirty() throws Exception {
        dirty(7, row(1), 100);
        dirty(7, row(2), 100);
        RowVersions exported = versions(7);
        dirty(7, row(2), 101);
        assertThat(mark(exported)).isEqualTo(1);
        assertThat(store().dirtySchemas()).containsExactly(new DirtySchema(7, 1, 101));
    }

    @Test
    void aRowWrittenAgainWithTheSameVersionStaysDirty() throws Exception {
        dirty(7, row(1), 100);
        RowVersions exported = versions(7);
        dirty(7, row(1), 100);
        assertThat(mark(exported)).isZero();
        assertThat(store().dirtySchemas()).containsExactly(new DirtySchema(7, 1, 100));
    }

    @Test
    void aSecondMarkOfTheSameVersionsFindsNothing() throws Exception {
        dirty(7, row(1), 100);
        RowVersions exported = versions(7);
        assertThat(mark(exported)).isEqualTo(1);
        assertThat(mark(exported)).isZero();
    }

    private long mark(RowVersions versions) {
        try (Locked locked = store().tryLock(7).orElseThrow()) {
            return locked.markFlushedVersions(versions, 1_000);
        }
    }
}
