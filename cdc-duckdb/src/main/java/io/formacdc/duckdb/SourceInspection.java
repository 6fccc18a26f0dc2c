package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;

/**
 * Finds the source of which a merge has failed. A footer can be whole where a page is not, and DuckDB does not say of
 * which of many files that is; so each is read to its end, now that there is nothing to lose.
 *
 * @param statements of the merge
 */
record SourceInspection(int schemaId, CdcConfig config, DuckSession session, DuckStatements statements) {
    /** An exception that names the first of the sources that cannot be read, or the failure itself. */
    CdcException explain(CdcException failure, Collection<MergeSource> sources) {
        if (!DuckStatements.mayBeOfAFile(failure)) {
            return failure;
        }
        // Some errors are the end of a whole DuckDB; so another one is asked.
        try (Connection another = session.openAnother(config.duckMemLimit())) {
            for (MergeSource source : sources) {
                readAll(source, statements.on(another));
            }
        } catch (CdcException e) {
            e.addSuppressed(failure);
            return e;
        } catch (SQLException e) {
            failure.addSuppressed(e);
        }
        return failure;
    }

    private void readAll(MergeSource source, DuckStatements reading) {
        try {
            reading.query(
                    "SELECT bit_xor(hash(f)) FROM read_parquet("
                            + ExportSql.literal(source.path().toString()) + ") f",
                    ResultSet::next);
        } catch (CdcInterruptedException e) {
            throw e;
        } catch (CdcException e) {
            throw new CdcException(
                    "schema " + schemaId + ": " + source.key() + " cannot be merged, its rows cannot be read: "
                            + e.getMessage(),
                    e);
        }
    }
}
