/** A host application in small: real cities flushed from a PostgreSQL to an S3 server, changed, and compared. */
@NullMarked
package io.formacdc.examples.quickstart;

import org.jspecify.annotations.NullMarked;
