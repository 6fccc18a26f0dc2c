package io.formacdc.examples.springboot;

import io.formacdc.examples.localstack.LocalPostgres;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.springframework.context.ConfigurableApplicationContext;

/** Runs the service on servers of its own, with a writer that keeps it busy, until Ctrl-C. */
public final class LocalService {
    private static final String LOG_CONFIGURATION = "logback.configurationFile";
    private static final List<String> QUIET_SERVERS =
            List.of("--logging.level.io.zonky=warn", "--logging.level.org.gaul=warn");

    private LocalService() {}

    /** Takes the same arguments as the service. */
    public static void main(String[] args) throws SQLException, InterruptedException {
        System.setProperty(LOG_CONFIGURATION, "silent-logback.xml");
        LocalParts parts = new LocalParts(LocalPostgres.start());
        System.clearProperty(LOG_CONFIGURATION); // Spring has one of its own
        ConfigurableApplicationContext service = parts.start(
                Stream.concat(QUIET_SERVERS.stream(), Stream.of(args)).toArray(String[]::new));
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
