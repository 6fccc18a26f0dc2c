package io.formacdc.examples.benchmarks;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.duckdb.Cdc;
import io.formacdc.examples.localstack.LocalPostgres;
import java.sql.Connection;
import java.util.List;

/** The initial export of all live entities, from the snapshot to the save of the manifest. */
record BaseExportBench() implements Bench {
    private static final double MARK = 1.6;

    @Override
    public String name() {
        return "base";
    }

    @Override
    public String subject() {
        return "exportBase of W1";
    }

    @Override
    public String reference() {
        return "drain of its two COPYs, one after another";
    }

    @Override
    public List<Figure> run(Stage stage) throws Exception {
        Workload work = stage.workload();
        LocalPostgres database = stage.database(work);
        CdcConfig config = stage.config(database).build();
        try (Connection connection = database.dataSource().getConnection()) {
            Alternation.Task ours = () -> Check.equal(
                    work.rows(),
                    Cdc.exportBase(
                                    config,
                                    stage.newStore(),
                                    work.schemaId(),
                                    BaseExportOptions.DEFAULTS,
                                    Workload.REGISTRY)
                            .rows(),
                    "rows exported");
            Alternation.Medians medians =
                    Alternation.USUAL.measure(ours, () -> CopyDrain.ofLiveRows(connection, work.schemaId()));
            return List.of(Figure.of(name(), MARK, medians, work.rows()));
        }
    }
}
