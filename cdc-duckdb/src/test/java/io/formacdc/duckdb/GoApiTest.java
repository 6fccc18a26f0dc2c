package io.formacdc.duckdb;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcDefaults;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.ManifestConfig;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.s3.S3Objects;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Holds the tables of .github/GO-API.md against the compiled classes. */
class GoApiTest {
    private static final Path PAGE = Path.of("..", ".github", "GO-API.md");
    private static final List<String> PACKAGES = Stream.of(
                    CdcConfig.class, S3Objects.class, Manifest.class, DuckExporter.class)
            .map(Class::getPackageName)
            .toList();

    /** A Go name in words: its initialisms, or a capital and what follows it. */
    private static final Pattern WORD = Pattern.compile("IDs|CDC|EAV|IAM|SSL|PG|DB|ID|MB|S3|[A-Z][a-z0-9]*");

    private static final Map<String, String> FIELD_OF_CONSTANT =
            Map.of("BASE_BACKOFF_MS", "baseBackoff", "MAX_BACKOFF_MS", "maxBackoff");

    private final String page = page();
    private final List<List<String>> functions = rows("Functions");
    private final List<List<String>> fields = rows("Types and fields");
    private final List<List<String>> constants = rows("Constants");

    /** What the Go package exports; a name that leaves the page leaves the count. */
    @Test
    void noNameOfTheGoPackageIsMissing() {
        assertThat(functions).hasSize(21);
        assertThat(fields.stream().filter(row -> !row.get(0).contains("."))).hasSize(8);
        assertThat(fields.stream().filter(row -> row.get(0).contains("."))).hasSize(31 + 11 + 3 + 3 + 7 + 3);
        assertThat(constants).hasSize(16);
        assertThat(Stream.of(functions, fields, constants).flatMap(List::stream).map(row -> row.get(0)))
                .doesNotHaveDuplicates();
    }

    @Test
    void everyFunctionIsAPublicMethodOfItsName() {
        for (List<String> row : functions) {
            String owner = row.get(1).replaceAll("^\\S+ (\\w+)\\..*", "$1");
            List<String> signatures = Arrays.stream(type(owner).getMethods())
                    .filter(method -> Modifier.isPublic(method.getModifiers()))
                    .map(method -> signature(owner, method))
                    .toList();
            assertThat(signatures).as(row.get(0)).contains(row.get(1));
            if (!row.get(2).startsWith("a constructor")) {
                String go = row.get(0).replaceAll(".*\\.", "");
                assertThat(row.get(1)).contains("." + camelCase(go) + "(");
            }
        }
    }

    @Test
    void everyTypeIsPublicAndHasItsFields() throws ReflectiveOperationException {
        for (List<String> row : fields) {
            String[] go = row.get(0).split("\\.", -1);
            Class<?> type = type(capital(camelCase(go[0])));
            if (go.length == 1) {
                assertThat(row.get(1)).isEqualTo(type.getSimpleName());
            } else if (!row.get(1).startsWith("none: ")) {
                Method accessor = type.getMethod(camelCase(go[1]));
                assertThat(accessor.getReturnType().getSimpleName() + " " + accessor.getName())
                        .as(row.get(0))
                        .isEqualTo(row.get(1));
            }
        }
    }

    @Test
    void fieldsThatAreDataStandInTheOrderOfGo() {
        for (Class<?> type :
                List.of(CdcConfig.class, CompactionConfig.class, ManifestConfig.class, ManifestEntry.class)) {
            List<String> inGo = fields.stream()
                    .map(row -> row.get(0).split("\\.", -1))
                    .filter(go -> go.length == 2 && capital(camelCase(go[0])).equals(type.getSimpleName()))
                    .map(go -> camelCase(go[1]))
                    .toList();
            assertThat(Arrays.stream(type.getRecordComponents()).map(RecordComponent::getName))
                    .startsWith(inGo.toArray(String[]::new));
        }
    }

    @Test
    void everyConstantHasItsTypeAndValueAndIsWhatAnUnsetFieldBecomes() throws ReflectiveOperationException {
        for (List<String> row : constants) {
            String name = words(row.get(0).substring("Default".length())).stream()
                    .map(word -> word.toUpperCase(Locale.ROOT))
                    .collect(joining("_"));
            Class<?> type = CdcDefaults.class.getField(name).getType();
            Object value = CdcDefaults.class.getField(name).get(null);
            assertThat(type.getSimpleName() + " " + name).isEqualTo(row.get(1));
            assertThat(value).hasToString(row.get(2));
            Object filled = filled(
                    FIELD_OF_CONSTANT.getOrDefault(name, camelCase(row.get(0).substring(7))));
            assertThat(filled instanceof Duration duration ? (int) duration.toMillis() : filled)
                    .as(name)
                    .isEqualTo(value);
        }
    }

    /** A field of either configuration when nothing was set. */
    private static Object filled(String field) throws ReflectiveOperationException {
        for (Record defaults : List.of(
                CdcConfig.builder().build().withDefaults(),
                CompactionConfig.builder().build().withDefaults())) {
            for (RecordComponent component : defaults.getClass().getRecordComponents()) {
                if (component.getName().equals(field)) {
                    return component.getAccessor().invoke(defaults);
                }
            }
        }
        throw new AssertionError("no configuration has " + field);
    }

    private static Class<?> type(String simpleName) {
        List<Class<?>> found = new ArrayList<>();
        for (String packageName : PACKAGES) {
            try {
                found.add(Class.forName(packageName + "." + simpleName));
            } catch (ClassNotFoundException e) {
                // In another package.
            }
        }
        assertThat(found)
                .as(simpleName)
                .singleElement()
                .satisfies(type -> assertThat(type).isPublic());
        return found.get(0);
    }

    private static String signature(String owner, Method method) {
        return method.getReturnType().getSimpleName() + " " + owner + "." + method.getName()
                + Arrays.stream(method.getParameters())
                        .map(Parameter::getType)
                        .map(Class::getSimpleName)
                        .collect(joining(", ", "(", ")"));
    }

    private static String camelCase(String goName) {
        String name = words(goName).stream()
                .map(word -> capital(word.toLowerCase(Locale.ROOT)))
                .collect(joining());
        return name.substring(0, 1).toLowerCase(Locale.ROOT) + name.substring(1);
    }

    private static List<String> words(String goName) {
        List<String> words =
                WORD.matcher(goName).results().map(MatchResult::group).toList();
        assertThat(String.join("", words)).isEqualTo(goName);
        return words;
    }

    private static String capital(String text) {
        return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    }

    /** The cells of the table under a heading, without the marks of code. */
    private List<List<String>> rows(String heading) {
        String section = page.split("\n## " + heading + "\n", 2)[1].split("\n## ", 2)[0];
        return section.lines()
                .filter(line -> line.startsWith("| `"))
                .map(line -> Arrays.stream(line.substring(1).split("\\|", -1))
                        .map(cell -> cell.strip().replace("`", ""))
                        .collect(Collectors.toList()))
                .toList();
    }

    private static String page() {
        try {
            return Files.readString(PAGE);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
