package io.formacdc.manifest;

import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CommitStateUnknownException;
import io.formacdc.core.InvalidManifestException;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.core.PreconditionFailedException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The manifests of a bucket. Thread-safe; any number of stores, in any number of processes, may save one manifest.
 *
 * <p>A save is a conditional put: it creates the object only if none is there, or replaces it only if it still has the
 * etag that was loaded. Whatever a failed save answers, what counts is what a reload shows:
 *
 * <ul>
 *   <li>the change is in it: it committed, though the answer was lost or a second sending of it was refused;
 *   <li>the change is not in it: it is applied to what was reloaded and saved again, after a pause.
 * </ul>
 *
 * <p>A failed save may still take effect after the reload. It then meets the etag that the next save is conditional on
 * too, so that only one of the two can win, and the one that lost is found committed by the next reload: nothing is
 * listed twice. For the same reason a change is known not to be saved exactly when the last reload shows another etag
 * than the last save asked for; with that etag unchanged, the save may be under way still.
 */
public final class ManifestStore {
    private static final Logger LOG = LoggerFactory.getLogger(ManifestStore.class);

    private final ObjectStore objects;
    private final ManifestConfig config;
    private final @Nullable String onlyKey;
    private final ManifestStoreOptions options;
    private final CdcListener listener;

    /** @param config whose bucket is that of {@code objects} */
    public ManifestStore(ObjectStore objects, ManifestConfig config, ManifestStoreOptions options) {
        this(objects, config, null, options);
    }

    private ManifestStore(
            ObjectStore objects, ManifestConfig config, @Nullable String onlyKey, ManifestStoreOptions options) {
        this.objects = objects;
        this.config = config;
        this.onlyKey = onlyKey;
        this.options = options;
        this.listener = CdcListener.quiet(options.listener());
    }

    /**
     * A store of one manifest alone, wherever it is.
     *
     * @param bucket the one of {@code objects}
     * @param key of the manifest
     */
    public static ManifestStore ofOne(ObjectStore objects, String bucket, String key, ManifestStoreOptions options) {
        return new ManifestStore(objects, new ManifestConfig(bucket, "", ""), key, options);
    }

    /**
     * Reads a schema's manifest. It counts as absent only when the bucket answers that the key is not there.
     *
     * @throws InvalidManifestException if it is there and cannot be used
     * @throws ObjectStoreException if it cannot be read
     * @throws IllegalArgumentException for a schema id outside 1..32767
     */
    public StoredManifest load(int schemaId) {
        return load(schemaId, new ManifestWriter());
    }

    /** @param writer starts from what is loaded */
    StoredManifest load(int schemaId, ManifestWriter writer) {
        String key = keyFor(schemaId);
        try {
            ObjectStore.StoredObject object = objects.get(key);
            ManifestReader reader = new ManifestReader(schemaId, key, config.bucket(), options.newForm());
            return seen(new StoredManifest(reader.read(object.content(), writer), object.etag()));
        } catch (ObjectNotFoundException e) {
            return new StoredManifest(Manifest.empty(schemaId, options.newForm()), null);
        }
    }

    private StoredManifest seen(StoredManifest stored) {
        if (listener != CdcListener.NONE) {
            listener.manifestSeen(stored.manifest().size());
        }
        return stored;
    }

    /**
     * Every schema that has a manifest, in ascending order; of a store of one manifest, the schema that it names.
     *
     * @throws ObjectStoreException if the bucket cannot be listed, or the one manifest not be read
     * @throws InvalidManifestException if the one manifest names no schema
     */
    public List<Integer> schemaIds() {
        if (onlyKey != null) {
            return List.of(ManifestReader.schemaIdOf(objects.get(onlyKey).content(), onlyKey));
        }
        try (Stream<ObjectStore.ObjectInfo> found = objects.list(config.commonPrefix())) {
            return found.map(object -> config.schemaIdOf(object.key()))
                    .flatMapToInt(OptionalInt::stream)
                    .sorted()
                    .boxed()
                    .toList();
        }
    }

    /**
     * Changes a schema's manifest, creating it if there is none. When this returns, the change is saved, once; a change
     * that is found saved already is not saved again. The first save to an object store proves that it honours
     * conditional writes.
     *
     * @return what the change was last seen in; other changes may have come after it
     * @throws PreconditionFailedException if other writers came first until the retries were used up; not saved
     * @throws CommitStateUnknownException if the change may or may not be saved
     * @throws ConditionalWritesUnsupportedException if the object store lets two writers lose each other's changes; not
     *     saved
     * @throws InvalidManifestException if what is stored cannot be used, or the change would make it so: without
     *     entries, with a path twice or outside the bucket, too large; not saved
     * @throws ObjectStoreException if the manifest could not be read, or is gone since; not saved
     * @throws RuntimeException what {@link ManifestChange#applyTo} throws; not saved
     */
    public StoredManifest update(int schemaId, ManifestChange change) {
        ManifestWriter writer = new ManifestWriter();
        return update(load(schemaId, writer), change, writer, false);
    }

    /**
     * As {@link #update(int, ManifestChange)}, trusting what was loaded earlier until a save finds it outdated. A change
     * that holds for exactly that manifest refuses every other in {@link ManifestChange#applyTo}.
     *
     * @param start loaded before any object that the change lists was written
     */
    public StoredManifest update(StoredManifest start, ManifestChange change) {
        return update(start, change, new ManifestWriter());
    }

    /** @param writer that knows how the entries of {@code start} are written, if it is known */
    StoredManifest update(StoredManifest start, ManifestChange change, ManifestWriter writer) {
        return update(start, change, writer, true);
    }

    /** Says that no schema has a manifest, and where that was looked. */
    String absence() {
        return "there is no manifest under \"" + (onlyKey == null ? config.commonPrefix() : onlyKey)
                + "\"; check manifestPrefix and manifestTemplate";
    }

    /** Says that a schema has no manifest, and where that was looked. */
    String absence(int schemaId) {
        return "there is no manifest \"" + keyFor(schemaId) + "\"; check manifestPrefix and manifestTemplate";
    }

    /** The bucket of manifests and data. */
    ObjectStore objects() {
        return objects;
    }

    private StoredManifest update(
            StoredManifest start, ManifestChange change, ManifestWriter writer, boolean startIsOlderThanObjects) {
        StoredManifest current = start;
        boolean objectsAreSafe = startIsOlderThanObjects;
        RuntimeException unsettled = null; // of a save that may be under way still
        for (int saves = 1; ; saves++) {
            if (change.isCommittedIn(current.manifest())) {
                return current;
            }
            Manifest next = next(current.manifest(), change);
            if (!objectsAreSafe) {
                requireObjects(current, change, unsettled);
            }
            byte[] content = encode(next, writer);
            if (!options.singleWriterStore()) {
                StoreProbe.ensureSafe(objects, keyOf(next));
            }
            RuntimeException failure;
            try {
                return seen(new StoredManifest(next, put(content, next, current))); // the commit point
            } catch (RuntimeException e) {
                failure = e;
            }
            logRetry(next, failure);
            StoredManifest reloaded = reload(current, change, saves, failure, writer);
            if (saves > options.maxRetries() && !change.isCommittedIn(reloaded.manifest())) {
                throw exhausted(current, reloaded, change, saves, failure);
            }
            unsettled = Objects.equals(current.etag(), reloaded.etag()) ? failure : null;
            objectsAreSafe = false;
            current = reloaded;
        }
    }

    /**
     * A sweep deletes an orphan only after it has saved a manifest that names it. So an object that is there after a
     * manifest was loaded that does not name it stays there until that manifest is replaced, and then the save that is
     * conditional on it fails.
     */
    private void requireObjects(StoredManifest current, ManifestChange change, @Nullable RuntimeException unsettled) {
        for (String key : change.listedKeys()) {
            try {
                objects.head(key);
            } catch (ObjectStoreException e) {
                if (unsettled != null) {
                    CommitStateUnknownException unknown = unknown(current.manifest(), change, unsettled);
                    unknown.addSuppressed(e);
                    throw unknown;
                }
                throw e instanceof ObjectNotFoundException
                        ? new ObjectNotFoundException(
                                "\"" + key + "\" is gone, so " + nameOf(current.manifest()) + " cannot list it", e)
                        : e;
            }
        }
    }

    private Manifest next(Manifest current, ManifestChange change) {
        try {
            Manifest changed = change.applyTo(current);
            if (changed.entries().isEmpty()) {
                throw new IllegalArgumentException("it would list nothing, where readers fall back to the whole bucket;"
                        + " list a file without rows instead");
            }
            for (ManifestEntry entry : changed.entries()) {
                ManifestPaths.problemOf(entry.path(), config.bucket()).ifPresent(problem -> {
                    throw new IllegalArgumentException("path \"" + entry.path() + "\" " + problem);
                });
            }
            return changed.toBuilder()
                    .schemaId(current.schemaId())
                    .form(current.form())
                    .version(current.version() + 1)
                    .updatedAtMillis(Math.max(options.clock().millis(), current.updatedAtMillis() + 1))
                    .build();
        } catch (IllegalArgumentException e) {
            throw new InvalidManifestException(
                    nameOf(current) + " cannot be changed for \"" + change.key() + "\": " + e.getMessage(), e);
        }
    }

    private byte[] encode(Manifest next, ManifestWriter writer) {
        byte[] content;
        try {
            content = writer.write(next);
        } catch (IllegalArgumentException e) {
            throw new InvalidManifestException(nameOf(next) + " is not saved: " + e.getMessage(), e);
        }
        if (content.length > ManifestJson.MAX_BYTES) {
            throw new InvalidManifestException(
                    nameOf(next) + " is not saved: it " + ManifestJson.tooLarge(content.length));
        }
        return content;
    }

    private String put(byte[] content, Manifest next, StoredManifest current) {
        String etag = current.etag();
        return etag == null
                ? objects.putIfAbsent(keyOf(next), content)
                : objects.putIfMatch(keyOf(next), content, etag);
    }

    /** Pauses and reloads until it succeeds, at most {@code maxRetries} times more. */
    private StoredManifest reload(
            StoredManifest saved, ManifestChange change, int saves, RuntimeException failure, ManifestWriter writer) {
        for (int tries = 1; ; tries++) {
            StoredManifest reloaded;
            try {
                pause(saves + tries - 1);
                reloaded = load(saved.manifest().schemaId(), writer);
            } catch (RuntimeException e) {
                boolean worthAnother = e instanceof ObjectStoreException && tries <= options.maxRetries();
                if (worthAnother) {
                    continue;
                }
                CommitStateUnknownException unknown = unknown(saved.manifest(), change, failure);
                unknown.addSuppressed(e);
                throw unknown;
            }
            if (saved.exists() && !reloaded.exists()) {
                // To create it anew would hide every file that it listed.
                throw new ObjectNotFoundException(
                        nameOf(saved.manifest()) + " is gone since it was loaded; \"" + change.key()
                                + "\" is not listed",
                        failure);
            }
            return reloaded;
        }
    }

    private void pause(int failures) {
        double doubled = options.baseBackoff().toMillis() * Math.pow(2, failures - 1.0);
        double longest = Math.min((double) options.maxBackoff().toMillis(), doubled);
        double jittered = longest * (1 + ThreadLocalRandom.current().nextDouble()) / 2;
        try {
            options.sleeper().sleep(Duration.ofMillis(Math.round(jittered)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CdcInterruptedException("interrupted between two saves of a manifest", e);
        }
    }

    private RuntimeException exhausted(
            StoredManifest saved, StoredManifest reloaded, ManifestChange change, int saves, RuntimeException failure) {
        return Objects.equals(saved.etag(), reloaded.etag())
                ? unknown(saved.manifest(), change, failure)
                : new PreconditionFailedException(
                        nameOf(saved.manifest()) + " was saved by others " + saves + " times while \"" + change.key()
                                + "\" was to be saved; that is not done",
                        failure);
    }

    private CommitStateUnknownException unknown(Manifest manifest, ManifestChange change, RuntimeException failure) {
        return new CommitStateUnknownException(
                nameOf(manifest) + ": the save for \"" + change.key() + "\" failed, and whether it took effect is not"
                        + " known: " + failure.getMessage(),
                change.key(),
                failure);
    }

    private void logRetry(Manifest next, RuntimeException failure) {
        if (failure instanceof PreconditionFailedException) {
            listener.manifestConflict(next.schemaId());
            LOG.debug("save {} of {} refused, reloading", next.version(), nameOf(next));
        } else {
            LOG.warn("save {} of {} failed, reloading: {}", next.version(), nameOf(next), failure.getMessage());
        }
    }

    private String nameOf(Manifest manifest) {
        return ManifestJson.nameOf(manifest.schemaId(), keyOf(manifest));
    }

    private String keyOf(Manifest manifest) {
        return keyFor(manifest.schemaId());
    }

    private String keyFor(int schemaId) {
        String key = config.keyFor(schemaId); // checks the id
        return onlyKey == null ? key : onlyKey;
    }
}
