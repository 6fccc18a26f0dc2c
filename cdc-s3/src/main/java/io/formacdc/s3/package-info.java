@NullMarked
package io.formacdc.s3;

import org.jspecify.annotations.NullMarked;
