package io.formacdc.examples.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Some processes, or as many as {@code -Dkills} says. */
class KillsIT {
    @Test
    void nothingIsLostWhenProcessesDieAndAnEndIsClean() throws Exception {
        int kills = Integer.getInteger("kills", 15);
        String report = Kills.run(kills);
        System.out.println(report);
        assertThat(report).contains("processes killed");
    }
}
