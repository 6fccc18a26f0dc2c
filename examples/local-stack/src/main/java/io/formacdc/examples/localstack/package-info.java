/** A real PostgreSQL and an S3 server in this process, for the examples and the tests. */
@NullMarked
package io.formacdc.examples.localstack;

import org.jspecify.annotations.NullMarked;
