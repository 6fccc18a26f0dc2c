package io.formacdc.duckdb;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The suites whose result may not depend on the transport, with DuckDB's extensions themselves. */
class ExtensionSuitesIT {
    @RegisterExtension
    static final GoingTheWay WAY = new GoingTheWay(Way.EXTENSIONS);

    @Nested
    class Values extends ValueIT {}

    @Nested
    class Races extends ExtensionRaces {}

    @Nested
    class TornReads extends TornReadIT {}
}
