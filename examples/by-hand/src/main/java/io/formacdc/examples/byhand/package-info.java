/** A flush composed from the library's public parts. */
@NullMarked
package io.formacdc.examples.byhand;

import org.jspecify.annotations.NullMarked;
