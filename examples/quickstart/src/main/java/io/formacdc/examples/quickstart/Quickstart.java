package io.formacdc.examples.quickstart;

import io.formacdc.core.Amounts;
import io.formacdc.core.BaseExportReport;
import io.formacdc.core.CompactionReport;
import io.formacdc.core.FlushReport;
import io.formacdc.duckdb.Lake;
import io.formacdc.examples.localstack.CtrlC;
import io.formacdc.manifest.CompactionPlan;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestEntry;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Objects;

/**
 * The story: cities are loaded, flushed, read from the lake, changed, flushed again, and compared with PostgreSQL value
 * by value; then the files are kept in shape, and compared once more. What a host writes to use the library is in {@link Host}.
 */
public final class Quickstart {
    private static final String NORTHERNMOST =
            "SELECT name, country, latitude, admin_codes FROM lake ORDER BY latitude DESC, row_id LIMIT 5";

    private static final String CENSUS = """
            SELECT count(*) AS cities,
                   count(*) FILTER (name LIKE '% (renamed)') AS renamed,
                   count(*) FILTER (name LIKE 'X%') AS in_x,
                   count(*) FILTER (ltbase_created_at > loaded) AS recreated
            FROM lake, (SELECT min(ltbase_created_at) AS loaded FROM lake)""";

    private final Settings settings;
    private final Screen screen;

    Quickstart(Settings settings, Screen screen) {
        this.settings = settings;
        this.screen = screen;
    }

    /** Ends the JVM: with 0 after a last line that begins with {@code OK:}, with 1 after one with {@code FAILED:}. */
    public static void main(String[] args) {
        Screen screen = new Screen(System.out);
        boolean equal;
        try (CtrlC ctrlC = CtrlC.interruptsThisThread()) {
            equal = new Quickstart(Settings.of(System.getProperties()), screen).run(ctrlC);
        } catch (IllegalArgumentException e) {
            equal = screen.failed(String.valueOf(e.getMessage()));
        }
        System.exit(equal ? 0 : 1);
    }

    /** Tells the story, and returns whether lake and PostgreSQL were equal at its end. */
    boolean run(CtrlC ctrlC) {
        screen.line("Forma CDC for Java: cities of the world, from PostgreSQL to Parquet files on S3");
        Comparison.Result result;
        try (Servers servers = Servers.start(settings, screen, ctrlC);
                Connection postgres = servers.connect();
                Host host = new Host(servers.flushConfig(), servers.s3Client(), Cities.createTables(postgres))) {
            load(postgres);
            flush(host);
            read(host);
            change(postgres, host);
            Comparison.Result before = compare(postgres, host, "Compare");
            keepInShape(postgres, host);
            if (settings.plantDifference()) {
                screen.line("one value is changed behind the change log's back");
                Churn.plantDifference(postgres);
            }
            Comparison.Result after = compare(postgres, host, "Compare again");
            result = before.isEqual() ? after : before;
        } catch (SQLException | RuntimeException e) {
            return screen.failed(ctrlC.isPressed() ? CtrlC.INTERRUPTED : String.valueOf(e.getMessage()));
        }
        return result.isEqual()
                ? screen.ok("the lake equals PostgreSQL, " + result)
                : screen.failed("the lake differs from PostgreSQL, " + result);
    }

    private void load(Connection postgres) throws SQLException {
        screen.begin();
        long cities = Cities.load(postgres, settings.cities());
        screen.done("%,d cities loaded, each with hot columns, EAV rows and a dirty row", cities);
    }

    private void flush(Host host) {
        screen.title("Flush");
        screen.begin();
        FlushReport plan = host.dryRun();
        screen.done("dry run: %,d rows to write, nothing written", plan.rows());
        screen.begin();
        done(host.flush(new ProgressLine(screen)));
        show(host.manifest());
    }

    private void done(FlushReport report) {
        if (report.schemas().isEmpty()) {
            screen.done("nothing was dirty");
            return;
        }
        FlushReport.SchemaFlush cities = report.schemas().get(0);
        screen.done(
                "%,d rows in %s (%,d bytes), %,d marked flushed",
                cities.rows(), Amounts.of(cities.chunks(), "new file"), cities.bytes(), cities.markedRows());
    }

    private void show(Manifest manifest) {
        screen.line("the manifest, version %d:", manifest.version());
        for (ManifestEntry file : manifest.entries()) {
            screen.line(
                    "  %s  %,6d rows  %,9d bytes  versions %d to %d",
                    shortened(file.path()), file.rowCount(), file.sizeBytes(), file.minTimeSlot(), file.maxTimeSlot());
        }
    }

    /** Without folders, and of an exported base its first row id alone. */
    private static String shortened(String text) {
        return text.replaceAll("[^ ]*/", "").replaceAll("([0-9a-f-]{36})(_[0-9a-f-]{36})+", "$1_...");
    }

    private void read(Host host) throws SQLException {
        screen.title("DuckDB reads the lake");
        screen.line(NORTHERNMOST);
        try (Lake lake = host.lake();
                Statement statement = lake.connection().createStatement();
                ResultSet rows = statement.executeQuery(NORTHERNMOST)) {
            while (rows.next()) {
                screen.line(
                        "  %-18s %s  %8.5f  %s",
                        rows.getString(1), rows.getString(2), rows.getDouble(3), rows.getString(4));
            }
        }
    }

    private void change(Connection postgres, Host host) throws SQLException {
        screen.title("Change, and flush again");
        screen.begin();
        Churn churn = new Churn(postgres);
        long renamed = churn.rename("Q");
        long deleted = churn.delete("X") + churn.delete("Z");
        long recreated = churn.recreate("Z");
        screen.done("%,d cities renamed (Q), %,d deleted (X, Z), %,d re-created (Z)", renamed, deleted, recreated);
        try (Lake files = host.lake();
                Lake fresh = host.lakeWithDirtyRows()) {
            count("files alone", files);
            count("files and dirty rows", fresh);
        }
        screen.begin();
        done(host.flush());
        try (Lake files = host.lake()) {
            count("files alone", files);
        }
    }

    private void count(String what, Lake lake) throws SQLException {
        try (Statement statement = lake.connection().createStatement();
                ResultSet row = statement.executeQuery(CENSUS)) {
            row.next();
            screen.line(
                    "  %-21s %,9d cities, %,5d renamed, %,5d in X, %,5d re-created",
                    what + ":", row.getLong(1), row.getLong(2), row.getLong(3), row.getLong(4));
        }
    }

    private void keepInShape(Connection postgres, Host host) throws SQLException {
        screen.title("Export all at once, in the place of the deltas");
        screen.begin();
        BaseExportReport base = host.exportBase(new ProgressLine(screen));
        screen.done(
                "%,d rows of one instant in %s (%,d bytes)",
                base.rows(), Amounts.of(base.files(), "base file"), base.bytes());
        show(host.manifest());

        screen.title("Change and flush, six times");
        screen.begin();
        Churn churn = new Churn(postgres);
        long changed = 0;
        for (String initial : List.of("Y", "U", "I", "O", "E")) {
            changed += churn.rename(initial);
            host.flush();
        }
        changed += churn.delete("J");
        host.flush();
        screen.done("%,d cities changed", changed);

        screen.title("Compact");
        screen.begin();
        CompactionPlan plan = host.explainCompaction();
        screen.done("what would be done, and why:");
        plan.explain().lines().forEach(line -> screen.line("%s", shortened(line)));
        List<ManifestEntry> before = host.manifest().entries();
        screen.begin();
        CompactionReport.SchemaCompaction done =
                host.compact(new ProgressLine(screen)).schemas().get(0);
        screen.done(
                "%s taken up, %d written (%,d bytes)",
                Amounts.of(done.filesRetired(), "file"), done.filesWritten(), done.bytesWritten());
        List<ManifestEntry> after = host.manifest().entries();
        screen.line("  before: %8s, %,10d bytes", Amounts.of(before.size(), "file"), bytes(before));
        screen.line("  after:  %8s, %,10d bytes", Amounts.of(after.size(), "file"), bytes(after));
        screen.line("  a second compaction: %s", host.compact().schemas().get(0).outcome());
        screen.line(
                "  %s",
                Amounts.of(host.sweep().get(0).findings().size(), "old file")
                        + " left in the bucket for now, for readers that have the old list");
    }

    private static long bytes(List<ManifestEntry> files) {
        return files.stream()
                .mapToLong(file -> Objects.requireNonNullElse(file.sizeBytes(), 0L))
                .sum();
    }

    private Comparison.Result compare(Connection postgres, Host host, String title) throws SQLException {
        screen.title(title);
        screen.begin();
        Comparison.Result result;
        try (Lake lake = host.lake()) {
            result = Comparison.of(postgres, lake.connection());
        }
        screen.done("%,d cities read by JDBC, and from the files by DuckDB", result.rows());
        result.examples().forEach(difference -> screen.line("  %s", difference));
        return result;
    }
}
