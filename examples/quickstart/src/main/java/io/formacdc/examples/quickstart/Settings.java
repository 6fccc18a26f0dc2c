package io.formacdc.examples.quickstart;

import java.util.Optional;
import java.util.Properties;

/**
 * What can be chosen, by system properties that begin with {@code quickstart.}; most of it to see what goes wrong.
 *
 * @param cities most cities to load, in the order of the file
 * @param pgPassword password with which the library logs in to PostgreSQL; the right one if empty
 * @param bucket bucket to which the library writes; the one that exists if empty
 * @param plantDifference change a value that the change log does not know of, before the comparison
 */
record Settings(int cities, Optional<String> pgPassword, Optional<String> bucket, boolean plantDifference) {
    /** @throws IllegalArgumentException for fewer cities than 1 */
    Settings {
        if (cities < 1) {
            throw noNumberOfCities(cities);
        }
    }

    static final Settings DEFAULT = new Settings(Integer.MAX_VALUE, Optional.empty(), Optional.empty(), false);

    /** @throws IllegalArgumentException if {@code quickstart.cities} is no number, or too small a one */
    static Settings of(Properties properties) {
        return new Settings(
                cities(properties.getProperty("quickstart.cities", String.valueOf(DEFAULT.cities()))),
                Optional.ofNullable(properties.getProperty("quickstart.pgPassword")),
                Optional.ofNullable(properties.getProperty("quickstart.bucket")),
                Boolean.parseBoolean(properties.getProperty("quickstart.plantDifference")));
    }

    private static int cities(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw noNumberOfCities(text);
        }
    }

    private static IllegalArgumentException noNumberOfCities(Object given) {
        return new IllegalArgumentException(
                "-Dquickstart.cities=" + given + " is no number of cities; give 1 or more, or leave it out for all");
    }
}
