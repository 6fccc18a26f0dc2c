package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestConfigTest {
    @ParameterizedTest
    @CsvSource({
        "'', '', manifest/7.json",
        "root, '', root/manifest/7.json",
        "root/, '', root/manifest/7.json",
        "a/b, {{.SchemaID}}.json, a/b/7.json",
        "'', {{ .SchemaID }}.json, 7.json",
        "'', x/{{- .SchemaID -}}/m.json, x/7/m.json",
        "'', s{{.SchemaID}}/{{.SchemaID}}.json, s7/7.json",
        "'', $1/{{.SchemaID}}, $1/7",
    })
    void aTemplateGivesEachSchemaItsKey(String prefix, String template, String key) {
        assertThat(new ManifestConfig("bucket", prefix, template).keyFor(7)).isEqualTo(key);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "manifest.json",
                "{{.SchemaName}}.json",
                "{{.SchemaID}}/{{.Other}}",
                "{{.SchemaID",
                "SchemaID}}",
                "{{.schemaid}}",
                "{{printf \"%d\" .SchemaID}}"
            })
    void aTemplateThatDoesNotTellSchemasApartIsRefused(String template) {
        ManifestConfig config = new ManifestConfig("bucket", "", template);
        assertThat(config.problem())
                .hasValueSatisfying(problem -> assertThat(problem)
                        .startsWith("manifestTemplate \"" + template + "\"")
                        .contains("{{.SchemaID}}"));
        assertThatThrownBy(() -> config.keyFor(7)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aTemplateInThePrefixIsRefused() {
        assertThat(new ManifestConfig("bucket", "m/{{.SchemaID}}", "").problem())
                .hasValueSatisfying(problem -> assertThat(problem).startsWith("manifestPrefix"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 32_768})
    void schemaIdsOutOfRangeAreRefused(int schemaId) {
        assertThatThrownBy(() -> new ManifestConfig("bucket", "", "").keyFor(schemaId))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aManifestIsKeptWhenPrefixOrTemplateIsSet() {
        CdcConfigBuilder config = CdcConfig.builder().s3Bucket("bucket");
        assertThat(ManifestConfig.of(config.build())).isEmpty();
        assertThat(ManifestConfig.of(config.manifestPrefix("m").build()))
                .contains(new ManifestConfig("bucket", "m", "manifest/{{.SchemaID}}.json"));
        assertThat(ManifestConfig.of(config.manifestPrefix("")
                        .manifestTemplate("{{.SchemaID}}")
                        .build()))
                .contains(new ManifestConfig("bucket", "", "{{.SchemaID}}"));
    }
}
