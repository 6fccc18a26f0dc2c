package io.formacdc.core;

import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.Exported;
import io.formacdc.core.SnapshotExporter.Snapshot;
import java.util.UUID;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** Another snapshot, as it is, for tests to come between. */
public abstract class DelegatingSnapshot implements Snapshot {
    private final Snapshot real;

    protected DelegatingSnapshot(Snapshot real) {
        this.real = real;
    }

    @Override
    public @Nullable UUID lastRowId() {
        return real.lastRowId();
    }

    @Override
    public @Nullable Chunk selectChunk(@Nullable UUID afterRowId, UUID upToRowId, int maxRows) {
        return real.selectChunk(afterRowId, upToRowId, maxRows);
    }

    @Override
    public Exported export(Chunk chunk, LongConsumer progress) {
        return real.export(chunk, progress);
    }

    @Override
    public void close() {
        real.close();
    }
}
