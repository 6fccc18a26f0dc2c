/**
 * Tries to break the library, by its public API alone: processes that are killed, a store that lies, a server that drops
 * its sessions, all under load, with an oracle that reads PostgreSQL and the listed files for itself.
 */
@NullMarked
package io.formacdc.examples.testbed;

import org.jspecify.annotations.NullMarked;
