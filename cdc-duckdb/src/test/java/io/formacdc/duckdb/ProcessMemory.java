package io.formacdc.duckdb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the system knows of this process: native memory and threads included. */
final class ProcessMemory {
    private ProcessMemory() {}

    /** Resident memory; 0 where the system does not tell. */
    static long residentBytes() {
        return status("VmRSS:") * 1024;
    }

    /** Threads, those of DuckDB too; 0 where the system does not tell. */
    static long threads() {
        return status("Threads:");
    }

    private static long status(String name) {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith(name))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0;
        }
    }
}
