package io.formacdc.core;

import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

/** The fakes keep the promises of their ports, as the real parts do. */
class MemoryPortsTest {
    @Nested
    class ChangeLogTest extends ChangeLogStoreContract {

        private final MemoryChangeLog log = new MemoryChangeLog(Path.of("unused"));

        @Override
        protected ChangeLogStore store() {
            return log;
        }

        @Override
        protected void dirty(int schemaId, UUID rowId, long changedAtMillis) {
            log.dirty(schemaId, rowId, changedAtMillis);
        }

        @Override
        protected RowVersions versions(int schemaId) {
            return log.versions(schemaId);
        }
    }

    @Nested
    class ExporterTest extends SnapshotExporterContract {
        private final Path folder;
        private final MemoryChangeLog log;

        ExporterTest(@TempDir Path folder) {
            this.folder = folder;
            this.log = new MemoryChangeLog(folder);
        }

        @Override
        protected SnapshotExporter exporter() {
            return log;
        }

        @Override
        protected void dirty(int schemaId, UUID rowId, long changedAtMillis) {
            log.dirty(schemaId, rowId, changedAtMillis);
        }

        @Override
        protected Path folder() {
            return folder;
        }
    }

    @Nested
    class LiveTest extends LiveExporterContract {
        private final Path folder;
        private final MemoryLiveRows rows;

        LiveTest(@TempDir Path folder) {
            this.folder = folder;
            this.rows = new MemoryLiveRows(folder);
        }

        @Override
        protected LiveExporter exporter() {
            return rows;
        }

        @Override
        protected void write(int schemaId, UUID rowId, long updatedAtMillis) {
            rows.of(schemaId).put(rowId, updatedAtMillis);
        }

        @Override
        protected void delete(int schemaId, UUID rowId) {
            rows.of(schemaId).remove(rowId);
        }

        @Override
        protected Path folder() {
            return folder;
        }
    }

    @Nested
    class ListTest extends FileLogContract {
        private final MemoryFileLog log = new MemoryFileLog();

        @Override
        protected FileLog fileLog() {
            return log;
        }

        @Override
        protected List<String> listed(int schemaId) {
            return log.listed(schemaId);
        }
    }
}
