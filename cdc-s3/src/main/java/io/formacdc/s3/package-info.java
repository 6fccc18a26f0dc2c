/**
 * The injected S3 client, and {@link io.formacdc.core.ObjectStore} on top of it or of a folder.
 *
 * <p>A host writes {@code new S3ObjectStore(S3FullClient.of(s3Client), bucket)}; one with a client of its own implements
 * {@link io.formacdc.s3.S3FullClient}, or {@link io.formacdc.s3.S3ListingClient} for everything. SDK errors are
 * understood here and nowhere else.
 */
@NullMarked
package io.formacdc.s3;

import org.jspecify.annotations.NullMarked;
