package io.formacdc.manifest;

import io.formacdc.core.Merger;
import io.formacdc.core.Merger.LocalFile;
import io.formacdc.core.Merger.Merge;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.MergerContract;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;

/** The fake merges as DuckDB does. */
class LineMergerTest extends MergerContract {
    @TempDir
    private Path folder;

    @Override
    protected Merger merger() {
        return new LineMerger(folder, new Faults());
    }

    @Override
    protected Source source(Merge ofMerge, String key, List<Row> rows) {
        List<Lines.Row> lines = rows.stream()
                .map(row -> new Lines.Row(id(row.n()), row.changedAt(), row.deletedAt()))
                .toList();
        return new Source(key, Lines.write(ofMerge.folder(), lines));
    }

    @Override
    protected List<Row> read(LocalFile file) {
        return Lines.read(file.path()).stream()
                .map(row -> new Row(row.id().getLeastSignificantBits(), row.changedAt(), row.deletedAt()))
                .toList();
    }
}
