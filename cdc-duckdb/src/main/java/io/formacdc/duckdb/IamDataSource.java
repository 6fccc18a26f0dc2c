package io.formacdc.duckdb;

import io.formacdc.core.CdcException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.Supplier;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs in with a new token at each connection, or with the password, and a warning, where none can be made. */
final class IamDataSource extends PGSimpleDataSource {
    private static final Logger LOG = LoggerFactory.getLogger(IamDataSource.class);

    private final transient Supplier<String> tokens;

    /** @param tokens throws a {@link CdcException} where there is none */
    IamDataSource(Supplier<String> tokens) {
        this.tokens = tokens;
    }

    @Override
    public Connection getConnection() throws SQLException {
        String token;
        try {
            token = tokens.get();
        } catch (CdcException e) {
            String password = getPassword();
            if (password == null || password.isEmpty()) {
                throw new SQLException(e.getMessage() + "; and no pgPassword is set", "28000", e);
            }
            LOG.warn("{}; trying pgPassword instead", e.getMessage());
            return super.getConnection();
        }
        return getConnection(getUser(), token);
    }
}
