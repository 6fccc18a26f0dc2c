package io.formacdc.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.ManifestForm;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a writer remembers of the document before must not show in the next. */
class ManifestWriterTest {
    private static final List<Map<String, String>> COLUMNS =
            List.of(Map.of(), columns("row_id"), columns("row_id", "name"), columns("name", "row_id"));

    private static Map<String, String> columns(String... names) {
        Map<String, String> columns = new LinkedHashMap<>();
        for (String name : names) {
            columns.put(name, "VARCHAR");
        }
        return columns;
    }

    @Test
    void whateverWasWrittenBeforeTheDocumentIsTheSame() {
        Random random = new Random(3);
        ManifestWriter writer = new ManifestWriter();
        List<ManifestEntry> entries = new ArrayList<>();
        ManifestForm form = ManifestForm.TIERED;
        for (int i = 1; i <= 300; i++) {
            switch (random.nextInt(6)) {
                case 0 -> form = form == ManifestForm.TIERED ? ManifestForm.FILES : ManifestForm.TIERED;
                case 1 -> removeAny(entries, random);
                case 2 -> changeAny(entries, random);
                default ->
                    entries.add(
                            random.nextInt(entries.size() + 1),
                            (random.nextBoolean() ? Entries.delta(i, i, 5) : Entries.base(i, i, i + 1, 1, 10))
                                    .toBuilder()
                                            .columns(COLUMNS.get(random.nextInt(COLUMNS.size())))
                                            .build());
            }
            Manifest manifest = Manifest.empty(Manifests.SCHEMA, form).toBuilder()
                    .version(i)
                    .entries(entries)
                    .build();
            String document = new String(writer.write(manifest), UTF_8);
            assertThat(document).isEqualTo(new String(new ManifestWriter().write(manifest), UTF_8));
        }
        assertThat(entries).hasSizeGreaterThan(50);
    }

    private static void removeAny(List<ManifestEntry> entries, Random random) {
        if (!entries.isEmpty()) {
            entries.remove(random.nextInt(entries.size()));
        }
    }

    private static void changeAny(List<ManifestEntry> entries, Random random) {
        if (!entries.isEmpty()) {
            int any = random.nextInt(entries.size());
            boolean isBase = entries.get(any).level().equals(ManifestEntry.BASE);
            entries.set(
                    any,
                    entries.get(any).toBuilder()
                            .level(isBase ? ManifestEntry.DELTA : ManifestEntry.BASE)
                            .unknownKeys(Map.of("bloom", "{\"bits\": [1, 2]}"))
                            .build());
        }
    }
}
