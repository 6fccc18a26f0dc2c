package io.formacdc.duckdb;

import io.formacdc.core.Amounts;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.Merger.LocalFile;
import io.formacdc.core.Merger.LooseRows;
import io.formacdc.core.Merger.Merge;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.RowIdInterval;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * One merge. Keys first: which versions win is decided on narrow columns, then whole rows stream through once.
 *
 * <p>A call takes as many shares of the memory as it may need, and waits for them. One that needs much has all of it,
 * and all threads; small ones, which keep one thread busy each, run side by side. Checksums are taken outside of that.
 */
final class DuckMerge implements Merge {
    /** What wins over a base's row of the same id; of equal versions the tombstone does, and else the base's row stays. */
    private static final String LOOSE_WINS = "b.source IS NULL OR l.source IS NOT NULL AND (l.changed_at > b.changed_at"
            + " OR l.changed_at = b.changed_at AND coalesce(l.deleted_at, -1) > coalesce(b.deleted_at, -1))";

    private static final String NO_KEYS = "SELECT NULL::INTEGER AS source, NULL::BIGINT AS row_number,"
            + " NULL::UUID AS row_id, NULL::BIGINT AS changed_at, NULL::BIGINT AS deleted_at WHERE false";

    private final CdcConfig config;
    private final MergeMemory memory;
    private final int schemaId;
    private final DuckSession session;
    private final Semaphore shares;
    private final Lanes lanes;
    private final Map<Path, String> keysByPath = new ConcurrentHashMap<>();
    private final Map<Source, MergeSource> checked = new ConcurrentHashMap<>();
    private final LooseVersions loose = new LooseVersions();
    private final List<MergeSource> staged = new ArrayList<>();
    private volatile boolean allStaged;

    private DuckMerge(CdcConfig config, MergeMemory memory, int schemaId, DuckSession session) {
        this.config = config;
        this.memory = memory;
        this.schemaId = schemaId;
        this.session = session;
        this.shares = new Semaphore(memory.threads(), true);
        this.lanes = new Lanes(session);
    }

    static DuckMerge open(CdcConfig config, int schemaId, CdcListener listener) {
        MergeMemory memory = MergeMemory.of(config);
        CdcConfig inMemory =
                config.toBuilder().duckDbPath("").duckThreads(memory.threads()).build();
        return new DuckMerge(config, memory, schemaId, DuckSession.open(inMemory, listener));
    }

    @Override
    public Path folder() {
        return session.folder();
    }

    @Override
    public long check(Source source) {
        return sharing("check of " + source.key(), 1, statements -> checked(statements, source))
                .rows();
    }

    @Override
    public void addLoose(Source source) {
        alone("reading of " + source.key(), statements -> {
            MergeSource read = checked(statements, source);
            MergeColumns.refuseUnlessUnitable(schemaId, with(loose.sources(), List.of(read)));
            loose.add(statements, read);
            return read;
        });
    }

    @Override
    public List<LooseRows> looseRowsIn(List<RowIdInterval> intervals) {
        return alone("search of changed rows", statements -> {
            loose.rank(statements);
            return loose.rowsIn(statements, intervals);
        });
    }

    @Override
    public List<LocalFile> writeBase(RowIdInterval interval, List<Source> bases, int files, LongConsumer progress) {
        requireFiles(files);
        String what = "merge of " + Amounts.of(bases.size(), "base file");
        List<MergeSource> inBase = inspected(what, 1, statements -> checkedBases(statements, bases, interval));
        List<MergeSource> newest = newestLoose(what);
        SortedMap<Integer, MergeSource> inputs = numbered(with(inBase, newest));
        long rawBytes =
                inputs.values().stream().mapToLong(MergeSource::rawBytes).sum();
        return write(what, memory.shares(rawBytes), statements -> {
            MergeOutput output = output(statements);
            output.choose(survivors(keys(inBase, 0, interval), keys(newest, inBase.size(), interval)));
            MergeColumns columns = MergeColumns.of(output.unitedTypes(inputs.values()), with(inBase, loose.sources()));
            List<ParquetCopy> copies =
                    output.write(new MergeOutput.Request(inputs, columns, "0::BIGINT", interval, files, progress));
            return new Written(copies, columns);
        });
    }

    private List<MergeSource> checkedBases(DuckStatements statements, List<Source> bases, RowIdInterval interval) {
        List<MergeSource> inBase =
                bases.stream().map(base -> checked(statements, base)).toList();
        MergeColumns.refuseUnlessUnitable(schemaId, with(inBase, loose.sources()));
        inBase.forEach(base -> refuseOutside(statements, base, interval));
        return inBase;
    }

    private static String survivors(String baseKeys, String looseKeys) {
        return "SELECT CASE WHEN loose_wins THEN l_source ELSE b_source END AS source,"
                + " CASE WHEN loose_wins THEN l_row ELSE b_row END AS row_number, row_id FROM (SELECT row_id,"
                + " l.source AS l_source, l.row_number AS l_row, l.deleted_at AS l_deleted, b.source AS b_source,"
                + " b.row_number AS b_row, b.deleted_at AS b_deleted, " + LOOSE_WINS + " AS loose_wins FROM ("
                + baseKeys + ") b FULL JOIN (" + looseKeys + ") l USING (row_id))"
                + " WHERE coalesce(CASE WHEN loose_wins THEN l_deleted ELSE b_deleted END, 0) <= 0";
    }

    @Override
    public List<LocalFile> writeDelta(Set<String> keys, List<RowIdInterval> without, int files) {
        requireFiles(files);
        return write("merge of " + Amounts.of(keys.size(), "delta file"), memory.threads(), statements -> {
            SortedMap<Integer, MergeSource> inputs = loose.numbered(keys);
            if (inputs.size() < keys.size()) {
                Set<String> unknown = new TreeSet<>(keys);
                inputs.values().forEach(source -> unknown.remove(source.key()));
                throw new IllegalArgumentException("never added as loose sources: " + unknown);
            }
            loose.rank(statements);
            MergeOutput output = output(statements);
            MergeColumns columns = MergeColumns.of(output.unitedTypes(inputs.values()), inputs.values());
            if (inputs.isEmpty()) {
                return new Written(List.of(), columns);
            }
            output.choose(LooseVersions.newestOf(inputs.keySet(), without));
            if (output.count(RowIdInterval.ALL) == 0) {
                return new Written(List.of(), columns);
            }
            List<ParquetCopy> copies = output.write(new MergeOutput.Request(
                    inputs, columns, "coalesce(f.deleted_at, 0)", RowIdInterval.ALL, files, rows -> {}));
            return new Written(copies, columns);
        });
    }

    /** What a call wrote, before checksums. */
    private record Written(List<ParquetCopy> copies, MergeColumns columns) {}

    private List<LocalFile> write(String what, int needed, Function<DuckStatements, Written> action) {
        Written written = inspected(what, needed, action);
        try {
            return written.copies().stream()
                    .map(copy -> new LocalFile(
                            copy.file(), copy.contents(written.columns().types())))
                    .toList();
        } catch (RuntimeException | Error e) {
            written.copies().forEach(copy -> ParquetCopy.deleteAfter(e, copy.file()));
            throw e;
        }
    }

    /** Runs something that reads whole sources, and says of which one it has failed. */
    private <T> T inspected(String what, int needed, Function<DuckStatements, T> action) {
        return sharing(what, needed, statements -> {
            try {
                return action.apply(statements);
            } catch (CdcException e) {
                throw new SourceInspection(schemaId, config, session, statements).explain(e, checked.values());
            } finally {
                MergeOutput.forget(statements);
            }
        });
    }

    /**
     * The newest version of each row of the loose sources, in one file for each generation of columns, sorted by row id:
     * however many base files are written, each reads of these what lies in its interval.
     */
    private List<MergeSource> newestLoose(String what) {
        return allStaged ? staged : inspected(what, memory.threads(), this::stageNewestLoose);
    }

    private List<MergeSource> stageNewestLoose(DuckStatements statements) {
        if (allStaged) {
            return staged;
        }
        loose.rank(statements);
        Map<Map<String, String>, TreeMap<Integer, MergeSource>> generations = new LinkedHashMap<>();
        for (int i = 0; i < loose.sources().size(); i++) {
            MergeSource source = loose.sources().get(i);
            generations
                    .computeIfAbsent(source.generation(), g -> new TreeMap<>())
                    .put(i, source);
        }
        MergeOutput output = output(statements);
        output.choose("SELECT source, row_number, row_id FROM " + LooseVersions.TABLE + " WHERE newest");
        List<MergeSource> files = new ArrayList<>();
        try {
            for (SortedMap<Integer, MergeSource> generation : generations.values()) {
                Path file = output.writeAsTheyAre(generation);
                files.add(checked(statements, new Source("newest rows of the deltas", file)));
            }
        } catch (RuntimeException | Error e) {
            files.forEach(file -> ParquetCopy.deleteAfter(e, file.path()));
            throw e;
        }
        staged.addAll(files);
        allStaged = true;
        return staged;
    }

    private void refuseOutside(DuckStatements statements, MergeSource base, RowIdInterval interval) {
        if (interval.equals(RowIdInterval.ALL)) {
            return;
        }
        long outside = statements.query(
                "SELECT count(*) FROM "
                        + ReadParquet.of(ExportSql.literal(base.path().toString()))
                        + " WHERE NOT ("
                        + LooseVersions.inInterval("row_id", interval) + ")",
                result -> {
                    result.next();
                    return result.getLong(1);
                });
        if (outside > 0) {
            throw new CdcException("schema " + schemaId + ": " + outside + " rows of " + base.key()
                    + " have row ids that are not after " + interval.after() + " and up to " + interval.upTo()
                    + ", as the base file's bounds say");
        }
    }

    private static String keys(List<MergeSource> sources, int firstNumber, RowIdInterval interval) {
        return sources.isEmpty()
                ? NO_KEYS
                : IntStream.range(0, sources.size())
                        .mapToObj(i -> LooseVersions.keys(sources.get(i), firstNumber + i, interval))
                        .collect(Collectors.joining(" UNION ALL "));
    }

    private static SortedMap<Integer, MergeSource> numbered(List<MergeSource> sources) {
        SortedMap<Integer, MergeSource> numbered = new TreeMap<>();
        sources.forEach(source -> numbered.put(numbered.size(), source));
        return numbered;
    }

    private static List<MergeSource> with(List<MergeSource> some, List<MergeSource> others) {
        return Stream.concat(some.stream(), others.stream()).toList();
    }

    private MergeOutput output(DuckStatements statements) {
        return new MergeOutput(config, memory, session.folder(), statements);
    }

    private MergeSource checked(DuckStatements statements, Source source) {
        keysByPath.put(source.path(), source.key());
        MergeSource known = checked.get(source);
        if (known != null) {
            return known;
        }
        MergeSource read = new MergeSourceReader(schemaId, statements).read(source);
        checked.put(source, read);
        return read;
    }

    private <T> T alone(String what, Function<DuckStatements, T> action) {
        return sharing(what, memory.threads(), action);
    }

    /** @param needed shares of the memory */
    private <T> T sharing(String what, int needed, Function<DuckStatements, T> action) {
        String subject = "schema " + schemaId + ", " + what;
        try {
            shares.acquire(needed);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CdcInterruptedException("interrupted before the end of " + subject, e);
        }
        try (InterruptWatch watch = InterruptWatch.open();
                Lanes.Lane lane = lanes.take()) {
            return action.apply(new DuckStatements(
                    lane.connection(), lane.wanted(), watch, config.queryTimeout(), subject, this::withKeys));
        } finally {
            shares.release(needed);
        }
    }

    private String withKeys(String message) {
        String readable = DuckStatements.withMemoryAdvice(message, config);
        for (Map.Entry<Path, String> entry : keysByPath.entrySet()) {
            readable = readable.replace(entry.getKey().toString(), entry.getValue());
        }
        return readable;
    }

    private static void requireFiles(int files) {
        if (files < 1) {
            throw new IllegalArgumentException("at least one file must be written, not " + files);
        }
    }

    @Override
    public void close() {
        lanes.close();
        session.close();
    }
}
