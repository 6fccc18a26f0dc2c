package io.formacdc.duckdb;

import io.formacdc.core.CdcException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Connections to one DuckDB, with as many calls at work side by side as ask for it. Thread-safe. */
final class Lanes implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Lanes.class);

    private final DuckSession session;
    private final List<Lane> all = new ArrayList<>();
    private final Deque<Lane> idle = new ArrayDeque<>();

    Lanes(DuckSession session) {
        this.session = session;
    }

    /** What one call at a time works with; closing it gives it back. */
    final class Lane implements AutoCloseable {
        private final Connection connection;
        private final Wanted wanted;

        private Lane(Connection connection, Wanted wanted) {
            this.connection = connection;
            this.wanted = wanted;
        }

        Connection connection() {
            return connection;
        }

        Wanted wanted() {
            return wanted;
        }

        @Override
        public void close() {
            giveBack(this);
        }
    }

    synchronized Lane take() {
        Lane lane = idle.pollFirst();
        return lane != null ? lane : open();
    }

    private Lane open() {
        try {
            Connection connection = session.newConnection();
            try {
                Lane lane = new Lane(connection, Wanted.register(connection, all.size()));
                all.add(lane);
                return lane;
            } catch (SQLException e) {
                connection.close();
                throw e;
            }
        } catch (SQLException e) {
            throw new CdcException("DuckDB gave no further connection: " + e.getMessage(), e);
        }
    }

    private synchronized void giveBack(Lane lane) {
        idle.addFirst(lane);
    }

    /** Does not throw. */
    @Override
    public synchronized void close() {
        for (Lane lane : all) {
            try {
                lane.connection().close();
            } catch (SQLException e) {
                LOG.warn("a connection to DuckDB did not close cleanly", e);
            }
        }
    }
}
