package io.formacdc.duckdb;

import io.formacdc.core.CdcException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs in with a new token at each connection, or with the password, and a warning, where none can be made. */
final class IamDataSource extends PgDataSource {
    private static final Logger LOG = LoggerFactory.getLogger(IamDataSource.class);

    private final transient Supplier<String> tokens;

    /** @param tokens throws a {@link CdcException} where there is none */
    IamDataSource(Supplier<String> tokens) {
        this.tokens = tokens;
    }

    @Override
    public Connection getConnection() throws SQLException {
        String password;
        try {
            password = nextPassword();
        } catch (CdcException e) {
            throw new SQLException(e.getMessage(), "28000", e);
        }
        return getConnection(getUser(), password);
    }

    /**
     * What the next connection logs in with.
     *
     * @throws CdcException if there is neither token nor password
     */
    String nextPassword() {
        try {
            return tokens.get();
        } catch (CdcException e) {
            String password = getPassword();
            if (password == null || password.isEmpty()) {
                throw new CdcException(e.getMessage() + "; and no pgPassword is set", e);
            }
            LOG.warn("{}; trying pgPassword instead", e.getMessage());
            return password;
        }
    }
}
