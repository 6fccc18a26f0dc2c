package io.formacdc.duckdb;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The suites whose result may not depend on the transport, with a stand-in for DuckDB's extensions. */
class StandInSuitesIT {
    @RegisterExtension
    static final GoingTheWay WAY = new GoingTheWay(Way.STAND_IN);

    @Nested
    class Values extends ValueIT {}

    @Nested
    class Races extends ExtensionRaces {}

    @Nested
    class TornReads extends TornReadIT {}
}
