package io.formacdc.examples.quickstart;

import java.util.Optional;

/**
 * What can be chosen, by system properties that begin with {@code quickstart.}; most of it to see what goes wrong.
 *
 * @param cities most cities to load, in the order of the file
 * @param pgPassword password with which the library logs in to PostgreSQL; the right one if empty
 * @param bucket bucket to which the library writes; the one that exists if empty
 * @param plantDifference change a value that the change log does not know of, before the comparison
 */
record Settings(int cities, Optional<String> pgPassword, Optional<String> bucket, boolean plantDifference) {
    static final Settings DEFAULT = new Settings(Integer.MAX_VALUE, Optional.empty(), Optional.empty(), false);

    static Settings ofSystemProperties() {
        return new Settings(
                Integer.getInteger("quickstart.cities", DEFAULT.cities()),
                Optional.ofNullable(System.getProperty("quickstart.pgPassword")),
                Optional.ofNullable(System.getProperty("quickstart.bucket")),
                Boolean.getBoolean("quickstart.plantDifference"));
    }
}
