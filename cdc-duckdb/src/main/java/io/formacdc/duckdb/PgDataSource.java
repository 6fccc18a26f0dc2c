package io.formacdc.duckdb;

import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.sql.Connection;
import java.sql.SQLException;
import javax.net.ssl.SSLException;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Names the host that cannot be reached, and why, where the driver only says that an attempt failed; and the setting, where
 * the server does without TLS.
 */
class PgDataSource extends PGSimpleDataSource {
    private static final String UNABLE_TO_CONNECT = "08001";
    private static final String CONNECTION_REJECTED = "08004";

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        try {
            return super.getConnection(user, password);
        } catch (SQLException e) {
            if (UNABLE_TO_CONNECT.equals(e.getSQLState())
                    && e.getCause() instanceof IOException reason
                    && !isTold(reason)) {
                String where = getServerNames()[0] + ":" + getPortNumbers()[0];
                throw new SQLException("no connection to " + where + ", " + why(reason), e.getSQLState(), e);
            }
            if (CONNECTION_REJECTED.equals(e.getSQLState())
                    && String.valueOf(e.getMessage()).contains("SSL")) {
                throw new SQLException(
                        e.getMessage() + " pgSslMode " + getSslMode() + " needs it; prefer and disable do without",
                        e.getSQLState(),
                        e);
            }
            throw e;
        }
    }

    /** Whether the driver's own message says enough: where nobody listens, or what is wrong with TLS. */
    private static boolean isTold(IOException reason) {
        return reason instanceof ConnectException || reason instanceof SSLException;
    }

    private static String why(IOException reason) {
        if (reason instanceof UnknownHostException) {
            return "the host is unknown";
        }
        return reason instanceof EOFException ? "it was closed at once" : String.valueOf(reason.getMessage());
    }
}
