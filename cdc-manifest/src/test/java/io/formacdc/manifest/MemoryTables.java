package io.formacdc.manifest;

import io.formacdc.core.ChangeLog;
import io.formacdc.core.ChangeLogStore;
import io.formacdc.core.DatabaseException;
import io.formacdc.core.LiveExporter;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.RowVersions;
import io.formacdc.core.SnapshotExporter;
import io.formacdc.manifest.Lines.Row;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The tables of one schema in memory: snapshots see one instant, and a mark compares version and xmin. Thread-safe. */
final class MemoryTables {
    /** The newest version of a row, which is dirty or not. */
    private record Slot(Row row, boolean isDirty, int xmin) {}

    private final TreeMap<UUID, Slot> slots = new TreeMap<>(RowIdInterval.BYTE_ORDER);
    private int lastXmin;
    private @Nullable Object lockHolder;

    /** Whether the lock keeps others out; a pooler may break it. */
    boolean lockExcludes = true;

    /** Ids all over the 128 bits, in no order. */
    static UUID id(int number) {
        return new UUID(number * 0x9E3779B97F4A7C15L, number);
    }

    /** Tables that go on from here; who has the lock there has it in the copy. */
    synchronized MemoryTables copy() {
        MemoryTables copy = new MemoryTables();
        copy.slots.putAll(slots);
        copy.lastXmin = lastXmin;
        copy.lockHolder = lockHolder;
        copy.lockExcludes = lockExcludes;
        return copy;
    }

    /** A new version of a row, committed. */
    synchronized void write(int number, boolean isLive) {
        UUID id = id(number);
        lastXmin++;
        slots.put(id, new Slot(new Row(id, lastXmin, isLive ? 0 : lastXmin), true, lastXmin));
    }

    /** Ends the session that holds the lock. */
    synchronized void loseLock() {
        lockHolder = null;
    }

    synchronized boolean isClean() {
        return slots.values().stream().noneMatch(Slot::isDirty);
    }

    /** Dirty rows, tombstones included. */
    synchronized Map<UUID, Row> dirty() {
        return rows(true);
    }

    /** Live rows. */
    synchronized Map<UUID, Row> live() {
        return rows(false);
    }

    private Map<UUID, Row> rows(boolean dirty) {
        TreeMap<UUID, Row> found = new TreeMap<>(RowIdInterval.BYTE_ORDER);
        slots.forEach((id, slot) -> {
            if (dirty ? slot.isDirty() : slot.row().isLive()) {
                found.put(id, slot.row());
            }
        });
        return found;
    }

    private synchronized RowVersions versions(Collection<Row> rows) {
        RowVersions.Collector versions = new RowVersions.Collector();
        rows.forEach(row ->
                // The version is the xmin too: each is written once.
                versions.add(
                        row.id().getMostSignificantBits(), row.id().getLeastSignificantBits(), row.changedAt(), (int)
                                row.changedAt()));
        return RowVersions.of(List.of(versions));
    }

    private synchronized long mark(RowVersions versions) {
        long marked = 0;
        for (int i = 0; i < versions.size(); i++) {
            Slot slot = slots.get(versions.rowId(i));
            if (slot != null
                    && slot.isDirty()
                    && slot.row().changedAt() == versions.changedAtMillis(i)
                    && slot.xmin() == versions.xmin(i)) {
                slots.put(slot.row().id(), new Slot(slot.row(), false, slot.xmin()));
                marked++;
            }
        }
        return marked;
    }

    SnapshotExporter dirtyExporter(Path folder, Faults faults) {
        return (schemaId, attributes) ->
                faults.call("snapshot", () -> new MemorySnapshot(dirty(), this::versions, folder, faults));
    }

    LiveExporter liveExporter(Path folder, Faults faults) {
        return (schemaId, attributes, filesAtOnce) -> faults.call(
                "snapshot", () -> new MemorySnapshot(live(), rows -> RowVersions.of(List.of()), folder, faults));
    }

    ChangeLogStore changeLog(Faults faults) {
        return new ChangeLogStore() {
            @Override
            public List<DirtySchema> dirtySchemas() {
                return faults.call("dirtySchemas", () -> {
                    int rows = dirty().size();
                    return rows == 0 ? List.of() : List.of(new DirtySchema(Manifests.SCHEMA, rows, 1));
                });
            }

            @Override
            public Optional<Locked> tryLock(int schemaId) {
                MemoryLock lock = new MemoryLock(faults);
                try {
                    return faults.call("lock", () -> lock.take() ? Optional.of(lock) : Optional.empty());
                } catch (RuntimeException e) {
                    lock.close(); // as its session is
                    throw e;
                }
            }
        };
    }

    private final class MemoryLock implements ChangeLogStore.Locked {
        private final Faults faults;

        private MemoryLock(Faults faults) {
            this.faults = faults;
        }

        private boolean take() {
            synchronized (MemoryTables.this) {
                if (lockHolder != null && lockExcludes) {
                    return false;
                }
                lockHolder = this;
                return true;
            }
        }

        /** A session that is gone can do nothing. */
        private void checkSession() {
            synchronized (MemoryTables.this) {
                if (lockExcludes && lockHolder != this) {
                    throw new DatabaseException(
                            "statement", new SQLException("injected: the session is gone", "57P01"));
                }
            }
        }

        @Override
        public ChangeLog.Stats stats() {
            return faults.call("stats", () -> {
                checkSession();
                return new ChangeLog.Stats(dirty().size(), 1);
            });
        }

        @Override
        public long markFlushedVersions(RowVersions versions, long flushedAtMillis) {
            return faults.call("mark", () -> {
                checkSession();
                return mark(versions);
            });
        }

        @Override
        public void close() {
            synchronized (MemoryTables.this) {
                if (lockHolder == this) {
                    lockHolder = null;
                }
            }
        }
    }

    /** The newest versions, dirty or not: equal as long as nothing has changed. */
    synchronized List<Object> versions() {
        return List.copyOf(slots.values());
    }

    /** All versions, to be looked at when something is wrong. */
    @Override
    public String toString() {
        return versions().toString();
    }
}
