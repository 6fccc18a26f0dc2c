@NullMarked
package io.formacdc.manifest;

import org.jspecify.annotations.NullMarked;
