package io.formacdc.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CompactionConfig;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ReadmeTest {
    private static final Path ROOT = Path.of("..", "..");
    private static final Set<String> REQUIRED = Set.of("pgHost", "pgUser", "pgDb", "s3Bucket");

    private final String readme = read(ROOT.resolve("README.md"));

    @Test
    void everyJavaBlockStandsInAnExample() throws IOException {
        List<String> sources;
        try (Stream<Path> files = Files.walk(ROOT.resolve("examples"))) {
            sources = files.filter(file -> file.toString().contains("/src/main/")
                            && file.toString().endsWith(".java"))
                    .map(file -> withoutIndentation(read(file)))
                    .toList();
        }
        assertThat(pages().values().stream().flatMap(page -> blocks(page, "java").stream()))
                .isNotEmpty()
                .allSatisfy(block ->
                        assertThat(sources).as(block).anyMatch(source -> source.contains(withoutIndentation(block))));
    }

    @Test
    void everyFieldOfTheConfigurationIsInTheTableWithItsDefault() throws ReflectiveOperationException {
        CdcConfig defaults = CdcConfig.builder().build().withDefaults();
        for (RecordComponent field : CdcConfig.class.getRecordComponents()) {
            Object value = field.getAccessor().invoke(defaults);
            assertThat(readme).contains("\n| `" + field.getName() + "` | " + cell(field.getName(), value) + " | ");
        }
    }

    @Test
    void theFirstBlockUnderQuickStartIsItsCommand() {
        assertThat(firstBlockUnder("Quick start"))
                .isEqualTo("mvn -q -Pquickstart -pl examples/quickstart -am process-classes");
    }

    @Test
    void theFirstBlockUnderAServiceIsItsCommand() {
        assertThat(firstBlockUnder("A service"))
                .isEqualTo("mvn -q -Pspring-boot -pl examples/spring-boot -am process-test-classes");
    }

    @Test
    void theFirstBlockUnderByHandIsItsCommand() {
        assertThat(firstBlockUnder("By hand")).isEqualTo("mvn -q -Pby-hand -pl examples/by-hand -am process-classes");
    }

    @Test
    void theFirstBlockUnderTestsIsWhatIsRunOnEveryChange() {
        assertThat(read(ROOT.resolve(".ci/run")).lines()).contains(firstBlockUnder("Tests"));
    }

    @Test
    void everyFieldOfACompactionIsInItsTable() {
        String upkeep = read(ROOT.resolve(".github/UPKEEP.md"));
        assertThat(CompactionConfig.class.getRecordComponents())
                .extracting(RecordComponent::getName)
                .allSatisfy(field -> assertThat(upkeep).contains("\n| `" + field + "` | "));
    }

    @Test
    void everyLinkedFileIsThere() throws IOException {
        pages().forEach((page, text) -> assertThat(Pattern.compile("]\\(([^)#:]+)[^):]*\\)")
                        .matcher(text)
                        .results()
                        .map(link -> link.group(1)))
                .allSatisfy(link ->
                        assertThat(page.resolveSibling(link)).as("%s", page).exists()));
    }

    /** The README, and the pages that it links, by their place. */
    private static Map<Path, String> pages() throws IOException {
        Map<Path, String> pages = new HashMap<>(Map.of(ROOT.resolve("README.md"), read(ROOT.resolve("README.md"))));
        try (Stream<Path> files = Files.list(ROOT.resolve(".github"))) {
            files.filter(file -> file.toString().endsWith(".md")).forEach(file -> pages.put(file, read(file)));
        }
        return pages;
    }

    private static List<String> blocks(String page, String language) {
        return Pattern.compile("^```" + language + "\\R(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(page)
                .results()
                .map(block -> block.group(1))
                .toList();
    }

    private String firstBlockUnder(String section) {
        MatchResult block = Pattern.compile(
                        "^## " + section + "$.*?^```.*?\\R(.*?)\\R```$", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(readme)
                .results()
                .findFirst()
                .orElseThrow();
        return block.group(1);
    }

    private static String cell(String field, Object value) {
        if (value.equals("")) {
            return REQUIRED.contains(field) ? "required" : "none";
        }
        return "`" + (value instanceof Duration duration ? duration.toMinutes() + " min" : value) + "`";
    }

    private static String withoutIndentation(String text) {
        return text.lines().map(String::strip).collect(Collectors.joining("\n"));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
