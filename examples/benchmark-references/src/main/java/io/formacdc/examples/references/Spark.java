package io.formacdc.examples.references;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.apache.spark.sql.SparkSession;

/**
 * Spark on two local cores: the JDBC source, parted by a number and fetched in batches as its guide says, the
 * attributes pivoted by PostgreSQL, written by the Parquet sink.
 */
final class Spark implements References.Way {
    private static final int PARTITIONS = 2;

    private final Source source;
    private final SparkSession spark;

    Spark(Source source) {
        this.source = source;
        this.spark = SparkSession.builder()
                .master("local[2]")
                .appName("reference")
                .config("spark.ui.enabled", "false")
                .config("spark.sql.parquet.compression.codec", "zstd")
                .config("spark.hadoop.parquet.compression.codec.zstd.level", "3")
                .getOrCreate();
        spark.sparkContext().setLogLevel("ERROR");
    }

    @Override
    public long export(Path target) throws SQLException {
        long[] bounds = bounds();
        spark.read()
                .format("jdbc")
                .option("driver", "org.postgresql.Driver")
                .option("url", source.jdbcUrl())
                .option("user", source.user())
                .option("password", source.password())
                .option("dbtable", "(" + query() + ") rows")
                .option("fetchsize", "10000")
                .option("partitionColumn", "changed_at")
                .option("lowerBound", String.valueOf(bounds[0]))
                .option("upperBound", String.valueOf(bounds[1]))
                .option("numPartitions", String.valueOf(PARTITIONS))
                .load()
                .write()
                .parquet(target.toString());
        return bounds[2];
    }

    private long[] bounds() throws SQLException {
        try (Connection connection = source.connect();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("SELECT min(changed_at), max(changed_at) + 1, count(*)"
                        + " FROM change_log WHERE schema_id = " + source.schemaId() + " AND flushed_at = 0")) {
            result.next();
            return new long[] {result.getLong(1), result.getLong(2), result.getLong(3)};
        }
    }

    /** With the change in both branches, so that each partition reads its own attributes alone. */
    private String query() {
        StringBuilder pivot = new StringBuilder();
        for (int attribute : Source.TEXT_ATTRIBUTES) {
            pivot.append(", max(value_text) FILTER (WHERE attr_id = " + attribute + ") AS e" + attribute);
        }
        for (int attribute : Source.NUMBER_ATTRIBUTES) {
            pivot.append(", max(value_numeric::float8) FILTER (WHERE attr_id = " + attribute + ") AS e" + attribute);
        }
        return "SELECT c.schema_id, c.row_id, c.changed_at, coalesce(c.deleted_at, 0) AS deleted_at,"
                + " m.ltbase_created_at, m.ltbase_updated_at, m.ltbase_deleted_at, " + Source.HOT_COLUMNS + ", e.*"
                + " FROM change_log c LEFT JOIN entity_main m ON m.ltbase_schema_id = c.schema_id"
                + " AND m.ltbase_row_id = c.row_id LEFT JOIN LATERAL (SELECT row_id AS e_row_id" + pivot
                + " FROM eav_data WHERE schema_id = c.schema_id AND row_id = c.row_id GROUP BY row_id) e ON true"
                + " WHERE c.schema_id = " + source.schemaId() + " AND c.flushed_at = 0";
    }

    @Override
    public void close() {
        spark.stop();
    }
}
