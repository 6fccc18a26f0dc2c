package io.formacdc.manifest;

import io.formacdc.core.CdcException;
import io.formacdc.core.Merger;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.UuidV7;
import io.formacdc.manifest.Lines.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Merges files of lines as the port says, in memory. What DuckDB does must come out the same. */
final class LineMerger implements Merger {
    private final Path parent;
    private final Faults faults;

    LineMerger(Path parent, Faults faults) {
        this.parent = parent;
        this.faults = faults;
    }

    @Override
    public Merge open(int schemaId) {
        return faults.call("merge", () -> {
            try {
                return new LineMerge(Files.createDirectory(parent.resolve("merge-" + UuidV7.next())));
            } catch (IOException e) {
                throw new CdcException("no folder", e);
            }
        });
    }

    private final class LineMerge implements Merge {
        private final Path folder;
        private final Map<String, List<Row>> loose = new LinkedHashMap<>();

        LineMerge(Path folder) {
            this.folder = folder;
        }

        @Override
        public Path folder() {
            return folder;
        }

        @Override
        public long check(Source source) {
            return faults.call("check", () -> (long) Lines.read(source.path()).size());
        }

        @Override
        public void addLoose(Source source) {
            faults.call("addLoose", () -> loose.put(source.key(), Lines.read(source.path())) == null);
        }

        @Override
        public List<LooseRows> looseRowsIn(List<RowIdInterval> intervals) {
            return faults.call(
                    "looseRows", () -> intervals.stream().map(this::looseIn).toList());
        }

        private LooseRows looseIn(RowIdInterval interval) {
            Map<String, Long> counts = new HashMap<>();
            loose.forEach((key, rows) -> {
                long inside =
                        rows.stream().filter(row -> interval.contains(row.id())).count();
                if (inside > 0) {
                    counts.put(key, inside);
                }
            });
            Collection<Row> newest = Lines.newest(looseRows(loose.keySet()).stream()
                            .filter(row -> interval.contains(row.id()))
                            .toList())
                    .values();
            return new LooseRows(
                    newest.size(), newest.stream().filter(Row::isLive).count(), counts);
        }

        private List<Row> looseRows(Set<String> keys) {
            return loose.entrySet().stream()
                    .filter(e -> keys.contains(e.getKey()))
                    .flatMap(e -> e.getValue().stream())
                    .toList();
        }

        @Override
        public List<LocalFile> writeBase(RowIdInterval interval, List<Source> bases, int files, LongConsumer progress) {
            return faults.call("writeBase", () -> {
                List<Row> ofBases = bases.stream()
                        .flatMap(base -> Lines.read(base.path()).stream())
                        .toList();
                Set<UUID> ids = new HashSet<>();
                for (Row row : ofBases) {
                    if (!interval.contains(row.id()) || !ids.add(row.id())) {
                        throw new CdcException("a base holds row " + row + " twice or outside of its interval");
                    }
                }
                List<Row> live = Lines.newest(Stream.concat(ofBases.stream(), looseRows(loose.keySet()).stream())
                                .filter(row -> interval.contains(row.id()))
                                .toList())
                        .values()
                        .stream()
                        .filter(Row::isLive)
                        .toList();
                return write(live, files, true);
            });
        }

        @Override
        public List<LocalFile> writeDelta(Set<String> keys, List<RowIdInterval> without, int files) {
            return faults.call("writeDelta", () -> {
                List<Row> rows = looseRows(keys).stream()
                        .filter(row -> without.stream().noneMatch(interval -> interval.contains(row.id())))
                        .toList();
                return write(List.copyOf(Lines.newest(rows).values()), files, false);
            });
        }

        private List<LocalFile> write(List<Row> rows, int files, boolean atLeastOne) {
            List<LocalFile> written = new ArrayList<>();
            int perFile = Math.max(1, -Math.floorDiv(-rows.size(), Math.max(1, files)));
            for (int from = 0; from < rows.size() || (atLeastOne && from == 0); from += perFile) {
                List<Row> part = rows.subList(from, Math.min(rows.size(), from + perFile));
                Path file = Lines.write(folder, part);
                written.add(new LocalFile(file, Lines.contents(file, part)));
            }
            return written;
        }

        @Override
        public void close() {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.collect(Collectors.toList())) {
                    Files.delete(file);
                }
                Files.delete(folder);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
