package io.formacdc.examples.testbed;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writers of a host, as bad as they may be: clocks minutes ahead and behind, many rows in one millisecond, transactions
 * that commit seconds after they took their version, and some that roll back.
 */
final class Writer {
    private static final int MOST_ROWS = 20;
    private static final int MOST_MILLIS_OPEN = 2_000;

    private final Deployment deployment;
    private final int schemaId;
    private final int ids;
    private final Duration clockOffset;

    /** Of all writers. */
    static final class Load {
        final AtomicLong transactions = new AtomicLong();
        final AtomicLong rows = new AtomicLong();
        final AtomicLong late = new AtomicLong();
        final AtomicLong rolledBack = new AtomicLong();

        @Override
        public String toString() {
            return rows + " rows in " + transactions + " transactions, " + late + " of them committed late, "
                    + rolledBack + " rolled back";
        }
    }

    /**
     * @param ids number of different rows
     * @param clockOffset how far this writer's clock is wrong
     */
    Writer(Deployment deployment, int schemaId, int ids, Duration clockOffset) {
        this.deployment = deployment;
        this.schemaId = schemaId;
        this.ids = ids;
        this.clockOffset = clockOffset;
    }

    /** The n-th row; in no order. */
    static UUID id(int schemaId, int n) {
        return UUID.nameUUIDFromBytes((schemaId + "-" + n).getBytes(StandardCharsets.US_ASCII));
    }

    /** Writes until it is told to stop. */
    void run(Bed.Clock until, Load load) throws SQLException, InterruptedException {
        try (Connection connection = deployment.connect()) {
            connection.setAutoCommit(false);
            while (!until.isOver()) {
                write(connection, load);
                Thread.sleep(ThreadLocalRandom.current().nextInt(60));
            }
        }
    }

    private void write(Connection connection, Load load) throws SQLException, InterruptedException {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        int rows = 1 + random.nextInt(MOST_ROWS);
        long clock = System.currentTimeMillis() + clockOffset.toMillis();
        // In one order, or two writers would wait for each other.
        TreeSet<UUID> chosen = new TreeSet<>();
        for (int i = 0; i < rows; i++) {
            chosen.add(id(schemaId, random.nextInt(ids)));
        }
        for (UUID id : chosen) {
            change(connection, schemaId, id, clock, random.nextInt(5) > 0);
        }
        if (random.nextInt(20) == 0) {
            load.late.incrementAndGet();
            Thread.sleep(random.nextInt(MOST_MILLIS_OPEN));
        }
        if (random.nextInt(30) == 0) {
            connection.rollback();
            load.rolledBack.incrementAndGet();
            return;
        }
        connection.commit();
        load.transactions.incrementAndGet();
        load.rows.addAndGet(chosen.size());
    }

    static void change(Connection connection, int schemaId, UUID id, long clock, boolean isLive) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT change_entity(?, ?, ?, ?)")) {
            statement.setInt(1, schemaId);
            statement.setObject(2, id);
            statement.setLong(3, clock);
            statement.setBoolean(4, isLive);
            statement.execute();
        }
    }
}
