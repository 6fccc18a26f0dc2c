package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TableNameTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "log | \"log\"",
                "app.log | \"app\".\"log\"",
                "Log | \"Log\"",
                "odd log | \"odd log\"",
                "a-b.c'd | \"a-b\".\"c'd\"",
                "x\"; DROP TABLE y; -- | \"x\"\"; DROP TABLE y; --\"",
                "\"odd.schema\".log | \"odd.schema\".\"log\"",
                "app.\"a.\"\"b\"\".c\" | \"app\".\"a.\"\"b\"\".c\"",
                "\"log\" | \"log\"",
            })
    void partsAreTakenLiterallyAndQuoted(String text, String sql) {
        assertThat(TableName.parse(text)).hasToString(sql);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "a.", ".a", "a..b", "a.b.c", "\"\"", "a\0b", "\"a\0\"", "\"a", "\"a\"b"})
    void emptyPartsOpenQuotesAndMoreThanTwoPartsAreRefused(String text) {
        assertThatThrownBy(() -> TableName.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("\"" + text + "\" is no table name");
    }
}
