package io.formacdc.examples.springboot;

import io.formacdc.examples.localstack.LocalPostgres;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.springframework.context.ConfigurableApplicationContext;

/** Runs the service on servers of its own, with a writer that keeps it busy, until Ctrl-C. */
public final class LocalService {
    private LocalService() {}

    /** Takes the same arguments as the service. */
    public static void main(String[] args) throws SQLException, InterruptedException {
        LocalParts parts = new LocalParts(LocalPostgres.start());
        ConfigurableApplicationContext service = parts.start(args);
        System.out.printf("%nhttp://localhost:%s/actuator/prometheus%n%n", port(service));
        try {
            while (service.isActive()) {
                parts.write(1_000);
                TimeUnit.SECONDS.sleep(1);
            }
        } finally {
            parts.close();
        }
    }

    static String port(ConfigurableApplicationContext service) {
        return service.getEnvironment().getRequiredProperty("local.server.port");
    }
}
