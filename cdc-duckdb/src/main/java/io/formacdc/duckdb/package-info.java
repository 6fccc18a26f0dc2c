@NullMarked
package io.formacdc.duckdb;

import org.jspecify.annotations.NullMarked;
