/** A service that flushes, compacts and sweeps on a schedule, and tells how it is by health and metrics. */
@NullMarked
package io.formacdc.examples.springboot;

import org.jspecify.annotations.NullMarked;
