/** Other ways from PostgreSQL to Parquet, each as a team that knows its tool would write it. */
@NullMarked
package io.formacdc.examples.references;

import org.jspecify.annotations.NullMarked;
