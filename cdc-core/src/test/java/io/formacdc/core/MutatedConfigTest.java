package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Thousands of configurations and names with something odd in them: each works, or is refused by name. */
@Timeout(60)
class MutatedConfigTest {
    private static final int MUTATIONS = 10_000;
    private static final String SECRET = "s3cr3t-p4ss";

    private static final List<String> TEXTS = List.of(
            "",
            " ",
            "a",
            "a.b",
            "a.b.c",
            "\"",
            "\"a.b\".c",
            "a\"b",
            "'; DROP TABLE change_log; --",
            "x\u0000y",
            "../..",
            "/",
            "a//b",
            "*",
            "s3://bucket/key",
            "{{.SchemaID}}",
            "{{.Other}}",
            "{{",
            "manifest/{{.SchemaID}}.json",
            "-1",
            "99999999999999999999GB",
            "4GB",
            "0MB",
            "1.5 GiB",
            "\uD83D\uDE00",
            "\uD800",
            "host:99999",
            "[::1]",
            "::1",
            "user@host",
            "http://",
            "https://x y",
            "verify-full",
            "lz4",
            "a".repeat(5_000),
            "\n",
            "%n%s",
            "${env:HOME}");
    private static final List<Integer> NUMBERS =
            List.of(0, 1, -1, 5432, 65_535, 65_536, Integer.MAX_VALUE, Integer.MIN_VALUE, 3_000, 3_001);
    private static final List<Duration> DURATIONS = List.of(
            Duration.ZERO,
            Duration.ofNanos(1),
            Duration.ofSeconds(-1),
            Duration.ofDays(100_000),
            Duration.ofSeconds(Long.MAX_VALUE));

    private static @Nullable Object value(Class<?> type, Random random) {
        if (type == String.class) {
            String text = TEXTS.get(random.nextInt(TEXTS.size()));
            return random.nextInt(4) == 0 ? text + TEXTS.get(random.nextInt(TEXTS.size())) : text;
        } else if (type == int.class) {
            return NUMBERS.get(random.nextInt(NUMBERS.size()));
        } else if (type == long.class) {
            return random.nextBoolean()
                    ? random.nextLong()
                    : NUMBERS.get(random.nextInt(NUMBERS.size())).longValue();
        } else if (type == boolean.class) {
            return random.nextBoolean();
        } else if (type == Duration.class) {
            return DURATIONS.get(random.nextInt(DURATIONS.size()));
        }
        return null;
    }

    /** The fields that a builder sets, of types that are made up here. */
    private static List<Method> setters(Class<?> builder) {
        return Arrays.stream(builder.getMethods())
                .filter(method -> method.getReturnType() == builder && method.getParameterCount() == 1)
                .filter(method -> value(method.getParameterTypes()[0], new Random(0)) != null)
                .sorted(Comparator.comparing(Method::getName))
                .toList();
    }

    private static <B> void mutate(B builder, Class<B> type, Random random) throws ReflectiveOperationException {
        List<Method> setters = setters(type);
        for (int i = 0; i <= random.nextInt(4); i++) {
            Method setter = setters.get(random.nextInt(setters.size()));
            setter.invoke(builder, value(setter.getParameterTypes()[0], random));
        }
    }

    @Test
    void aMutatedConfigurationWorksOrIsRefused() throws ReflectiveOperationException {
        Random random = new Random(21);
        int refused = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            CdcConfigBuilder builder = CdcConfig.builder()
                    .pgHost("localhost")
                    .pgUser("user")
                    .pgPassword(SECRET)
                    .pgDb("db")
                    .s3Bucket("bucket")
                    .manifestPrefix("manifests");
            String text = "";
            try {
                mutate(builder, CdcConfigBuilder.class, random);
                CdcConfig config = builder.build();
                text = config.toString();
                config.withDefaults().validate();
                ManifestConfig.of(config.withDefaults())
                        .ifPresent(manifests -> assertThat(manifests.keyFor(7)).isNotEmpty());
            } catch (InvalidConfigException e) {
                assertThat(e.getMessage()).isNotBlank().doesNotContain(SECRET);
                refused++;
            } catch (RuntimeException | InvocationTargetException e) {
                throw new AssertionError("mutation " + i + ": " + text, e);
            }
            assertThat(text).doesNotContain(SECRET);
        }
        System.out.println("MutatedConfigTest: " + MUTATIONS + " configurations, " + refused + " refused");
        assertThat(refused).isBetween(MUTATIONS / 10, MUTATIONS - 1);
    }

    @Test
    void aMutatedCompactionWorksOrIsRefused() throws ReflectiveOperationException {
        Random random = new Random(22);
        int refused = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            CompactionConfigBuilder builder = CompactionConfig.builder();
            try {
                mutate(builder, CompactionConfigBuilder.class, random);
                builder.build().withDefaults().validate();
            } catch (InvalidConfigException e) {
                refused++;
            }
        }
        System.out.println("MutatedConfigTest: " + MUTATIONS + " compactions, " + refused + " refused");
        assertThat(refused).isBetween(MUTATIONS / 10, MUTATIONS - 1);
    }

    @Test
    void aMutatedTableNameIsRefusedOrStandsInSqlAsOneName() {
        Random random = new Random(23);
        String alphabet = "ab\".\u0000; '-\\\uD83D\uDE00$\n";
        int refused = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = random.nextInt(9); length >= 0; length--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                String sql = TableName.parse(text.toString()).sql();
                // One or two quoted identifiers, in which every quote is doubled.
                assertThat(sql).as("%s", text).matches("\"(?:[^\"\\x00]|\"\")+\"(?:\\.\"(?:[^\"\\x00]|\"\")+\")?");
            } catch (IllegalArgumentException e) {
                assertThat(e).hasMessageContaining("is no table name");
                refused++;
            }
        }
        System.out.println("MutatedConfigTest: " + MUTATIONS + " table names, " + refused + " refused");
        assertThat(refused).isBetween(MUTATIONS / 10, MUTATIONS - 1);
    }
}
