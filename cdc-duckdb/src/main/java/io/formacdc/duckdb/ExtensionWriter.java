package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.FencedException;
import io.formacdc.core.FileContents;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.RowVersions;
import io.formacdc.s3.S3Access;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has DuckDB read rows from PostgreSQL and write them to S3 by its own extensions. It knows an access key and a password
 * during an export alone, and no message repeats them. Confined to a thread; closing it deletes what DuckDB spilled.
 */
final class ExtensionWriter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ExtensionWriter.class);

    private final CdcConfig config;
    private final DuckSession session;
    private final Wanted wanted;

    private ExtensionWriter(CdcConfig config, DuckSession session, Wanted wanted) {
        this.config = config;
        this.session = session;
        this.wanted = wanted;
    }

    /**
     * Starts DuckDB and loads its extensions, and does nothing else anywhere.
     *
     * @param around what stands between this and DuckDB's connection
     * @throws CdcException that names each extension that cannot be loaded
     */
    static ExtensionWriter open(CdcConfig config, UnaryOperator<Connection> around) {
        DuckSession session = DuckSession.openWithExtensions(config, around);
        try {
            TextFunctions.register(session.connection());
            return new ExtensionWriter(config, session, Wanted.register(session.connection(), 0));
        } catch (SQLException e) {
            session.close();
            throw new CdcException("DuckDB could not take the conversions of values: " + e.getMessage(), e);
        }
    }

    /**
     * What to write, and where.
     *
     * @param watch of the calling thread
     * @param s3 null for a local target
     * @param rowIds as in {@link ExtensionSql}
     * @param target {@code s3://bucket/key}, or a local path
     */
    record Export(
            int schemaId,
            InterruptWatch watch,
            PgDsn postgres,
            @Nullable S3Access s3,
            Projection projection,
            PgQueries queries,
            RowIdInterval interval,
            @Nullable String rowIds,
            String target) {}

    /** What is in the file. The checksum of one in a bucket is not known, because nobody has read it back. */
    record Written(FileContents contents, RowVersions versions, Map<String, Long> lossyCasts) {}

    /** Writes one file. After a failure a part of it may be there. */
    Written write(Export export) {
        S3Access s3 = export.s3();
        Redaction redaction = s3 == null
                ? Redaction.of(export.postgres().text(), export.postgres().password())
                : Redaction.of(
                        export.postgres().text(),
                        export.postgres().password(),
                        s3.secretKey(),
                        s3.sessionToken(),
                        s3.accessKey());
        Steps steps = new Steps(export, redaction);
        try {
            if (s3 != null) {
                steps.next().execute(ExtensionSql.createSecret(s3));
            }
            steps.next().execute(ExtensionSql.attach(export.postgres()));
            return write(export, steps);
        } finally {
            release(redaction);
        }
    }

    private Written write(Export export, Steps steps) {
        ExtensionSql sql = new ExtensionSql(
                export.schemaId(), export.projection(), export.queries(), export.interval(), config, export.rowIds());
        steps.next().execute(sql.readRows());
        RowVersions versions = steps.next().query(sql.versions(), ExtensionWriter::versions);
        if (versions.size() == 0 && export.rowIds() == null) {
            throw new FencedException("another flush has marked all rows of the chunk");
        }
        ParquetCopy copy = steps.next()
                .copy(
                        sql.copyTo(export.target(), wanted),
                        stats -> ParquetCopy.read(stats, export.target()),
                        rows -> {});
        Map<String, Long> lossyCasts =
                steps.next().query(sql.lossyCasts(), counts -> lossyCasts(sql.lossyNames(), counts));
        Map<String, String> columns = new ExportSql(export.schemaId(), export.projection(), config).columns();
        FileContents contents = export.s3() == null ? copy.contents(columns) : copy.contentsUnread(columns);
        return new Written(contents, versions, lossyCasts);
    }

    private static RowVersions versions(ResultSet rows) throws SQLException {
        RowVersions.Collector collector = new RowVersions.Collector();
        while (rows.next()) {
            UUID id = rows.getObject(1, UUID.class);
            collector.add(
                    id.getMostSignificantBits(), id.getLeastSignificantBits(), rows.getLong(2), (int) rows.getLong(3));
        }
        return RowVersions.of(List.of(collector));
    }

    private static Map<String, Long> lossyCasts(List<String> names, ResultSet counts) throws SQLException {
        Map<String, Long> lossyCasts = new HashMap<>();
        counts.next();
        for (int i = 0; i < names.size(); i++) {
            long count = counts.getLong(i + 1);
            if (count > 0) {
                lossyCasts.merge(names.get(i), count, Long::sum);
            }
        }
        return lossyCasts;
    }

    /** Statements that together may take {@code queryTimeout}. */
    private final class Steps {
        private final Export export;
        private final Redaction redaction;
        private final long endNanos = System.nanoTime() + config.queryTimeout().toNanos();

        private Steps(Export export, Redaction redaction) {
            this.export = export;
            this.redaction = redaction;
        }

        private DuckStatements next() {
            Duration left = Duration.ofNanos(endNanos - System.nanoTime());
            if (left.isZero() || left.isNegative()) {
                throw new CdcException("the export took longer than queryTimeout " + config.queryTimeout());
            }
            return new DuckStatements(
                    session.connection(),
                    wanted,
                    export.watch(),
                    left,
                    "the export",
                    message -> DuckStatements.withMemoryAdvice(redaction.redact(message), config));
        }
    }

    /** Forgets rows, password and key, whatever happened. */
    private void release(Redaction redaction) {
        for (String sql : List.of(ExtensionSql.dropRows(), ExtensionSql.detach(), ExtensionSql.dropSecret())) {
            try (Statement statement = session.connection().createStatement()) {
                statement.execute(sql);
            } catch (SQLException e) {
                LOG.warn("DuckDB could not {}: {}", sql, redaction.redact(DuckStatements.firstLine(e)));
            }
        }
    }

    @Override
    public void close() {
        session.close();
    }
}
