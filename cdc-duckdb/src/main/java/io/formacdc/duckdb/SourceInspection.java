package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import java.sql.ResultSet;
import java.util.Collection;
import java.util.Optional;

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
        try (DuckSession another = session.openAnother(config)) {
            DuckStatements reading = statements.on(another.connection());
            for (MergeSource source : sources) {
                Optional<CdcException> found = readAll(source, reading);
                if (found.isPresent()) {
                    found.get().addSuppressed(failure);
                    return found.get();
                }
            }
        } catch (CdcException e) {
            failure.addSuppressed(e);
        }
        return failure;
    }

    private Optional<CdcException> readAll(MergeSource source, DuckStatements reading) {
        try {
            reading.query(
                    "SELECT bit_xor(hash(f)) FROM "
                            + ReadParquet.of(ExportSql.literal(source.path().toString())) + " f",
                    ResultSet::next);
            return Optional.empty();
        } catch (CdcInterruptedException e) {
            return Optional.of(e);
        } catch (CdcException e) {
            return Optional.of(new CdcException(
                    "schema " + schemaId + ": " + source.key() + " cannot be merged, its rows cannot be read: "
                            + e.getMessage(),
                    e));
        }
    }
}
