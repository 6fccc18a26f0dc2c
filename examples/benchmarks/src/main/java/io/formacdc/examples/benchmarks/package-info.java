/** How fast the library is: each figure is a ratio of two things measured in turn in the same run. */
@NullMarked
package io.formacdc.examples.benchmarks;

import org.jspecify.annotations.NullMarked;
