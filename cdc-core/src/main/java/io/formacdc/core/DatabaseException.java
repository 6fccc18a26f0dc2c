package io.formacdc.core;

import java.sql.SQLException;

/** A PostgreSQL statement or connection failed. The statement's own transaction is rolled back. */
public final class DatabaseException extends CdcException {
    private final String sqlState;

    /**
     * @param doing what was being done, and for which schema
     * @param cause the driver's exception, whose message and SQLSTATE are repeated
     */
    public DatabaseException(String doing, SQLException cause) {
        super(doing + " failed: " + cause.getMessage() + " (SQLSTATE " + state(cause) + ")", cause);
        this.sqlState = state(cause);
    }

    /** The five characters of the SQLSTATE, or {@code "none"}. */
    public String sqlState() {
        return sqlState;
    }

    private static String state(SQLException e) {
        return e.getSQLState() == null ? "none" : e.getSQLState();
    }
}
