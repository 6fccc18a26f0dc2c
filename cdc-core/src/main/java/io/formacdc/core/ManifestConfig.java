package io.formacdc.core;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where manifests are kept.
 *
 * @param bucket the bucket of manifests and data
 * @param prefix root prefix of the manifests; one trailing slash is trimmed; may be empty
 * @param pathTemplate Go's template of a path under the prefix, {@code {{.SchemaID}}} standing for the schema id;
 *     empty for {@link CdcDefaults#MANIFEST_TEMPLATE}
 */
public record ManifestConfig(String bucket, String prefix, String pathTemplate) {
    private static final Pattern SCHEMA_ID = Pattern.compile("\\{\\{-?\\s*\\.SchemaID\\s*-?}}");

    public ManifestConfig {
        if (pathTemplate.isEmpty()) {
            pathTemplate = CdcDefaults.MANIFEST_TEMPLATE;
        }
    }

    /** What a flush configuration says of manifests; empty when it sets neither prefix nor template. */
    public static Optional<ManifestConfig> of(CdcConfig config) {
        return config.manifestPrefix().isEmpty() && config.manifestTemplate().isEmpty()
                ? Optional.empty()
                : Optional.of(
                        new ManifestConfig(config.s3Bucket(), config.manifestPrefix(), config.manifestTemplate()));
    }

    /**
     * The key of a schema's manifest.
     *
     * @throws IllegalArgumentException for a schema id outside 1..32767, or a template with {@link #problem()}
     */
    public String keyFor(int schemaId) {
        SchemaIds.check(schemaId);
        problem().ifPresent(p -> {
            throw new IllegalArgumentException(p);
        });
        String path = SCHEMA_ID.matcher(pathTemplate).replaceAll(Matcher.quoteReplacement(String.valueOf(schemaId)));
        return CdcPaths.underPrefix(prefix, path);
    }

    /**
     * The schema whose manifest a key is; empty if it is none.
     *
     * @param key of any object of the bucket
     */
    public OptionalInt schemaIdOf(String key) {
        Matcher matcher = Pattern.compile(keyPattern()).matcher(key);
        if (!matcher.matches()) {
            return OptionalInt.empty();
        }
        int schemaId = Integer.parseInt(matcher.group(1));
        return schemaId <= Short.MAX_VALUE && key.equals(keyFor(schemaId))
                ? OptionalInt.of(schemaId)
                : OptionalInt.empty();
    }

    private String keyPattern() {
        String key = CdcPaths.underPrefix(prefix, pathTemplate);
        StringBuilder pattern = new StringBuilder();
        Matcher placeholder = SCHEMA_ID.matcher(key);
        int end = 0;
        String id = "([1-9][0-9]{0,4})";
        while (placeholder.find()) {
            pattern.append(Pattern.quote(key.substring(end, placeholder.start())));
            pattern.append(id);
            id = "\\1";
            end = placeholder.end();
        }
        return pattern + Pattern.quote(key.substring(end));
    }

    /** What the keys of all manifests begin with; may be empty. */
    public String commonPrefix() {
        String key = CdcPaths.underPrefix(prefix, pathTemplate);
        Matcher placeholder = SCHEMA_ID.matcher(key);
        return placeholder.find() ? key.substring(0, placeholder.start()) : key;
    }

    /** Why no path can be made from the template, if so. */
    Optional<String> problem() {
        String rest = SCHEMA_ID.matcher(pathTemplate).replaceAll("");
        if (rest.contains("{{") || rest.contains("}}")) {
            return Optional.of("manifestTemplate \"" + pathTemplate + "\" may hold no action but {{.SchemaID}}");
        }
        if (rest.equals(pathTemplate)) {
            return Optional.of("manifestTemplate \"" + pathTemplate
                    + "\" gives every schema the same path; it needs {{.SchemaID}}");
        }
        if (prefix.contains("{{")) {
            return Optional.of("manifestPrefix \"" + prefix + "\" is taken as it is; templates go to manifestTemplate");
        }
        return Optional.empty();
    }
}
