package io.formacdc.examples.references;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Two cursors in row-id order, entities and attributes, merged row by row: no join in the database has to pivot, and
 * memory stays flat. Fetched in batches, as the driver does outside of autocommit.
 */
final class Rows implements AutoCloseable {
    private static final int FETCH_SIZE = 10_000;

    private final Connection entityConnection;
    private final Connection attributeConnection;
    private final ResultSet entities;
    private final ResultSet attributes;
    private @Nullable UUID attributeRow;

    final @Nullable String[] texts = new String[Source.TEXT_ATTRIBUTES.length];
    /** NaN where there is none. */
    final double[] numbers = new double[Source.NUMBER_ATTRIBUTES.length];

    Rows(Source source) throws SQLException {
        entityConnection = source.connect();
        attributeConnection = source.connect();
        entities = open(entityConnection, source.entities());
        attributes = open(attributeConnection, source.attributes());
        nextAttribute();
    }

    private static ResultSet open(Connection connection, String sql) throws SQLException {
        Statement statement = connection.createStatement();
        statement.setFetchSize(FETCH_SIZE);
        return statement.executeQuery(sql);
    }

    /** The entity under the cursor: fields 1 to 6 are row id, versions and times, then come the hot columns. */
    ResultSet entity() {
        return entities;
    }

    boolean next() throws SQLException {
        if (!entities.next()) {
            return false;
        }
        Arrays.fill(texts, null);
        Arrays.fill(numbers, Double.NaN);
        UUID row = entities.getObject(1, UUID.class);
        while (row.equals(attributeRow)) {
            take(attributes.getInt(2));
            nextAttribute();
        }
        return true;
    }

    private void take(int attribute) throws SQLException {
        for (int i = 0; i < texts.length; i++) {
            if (Source.TEXT_ATTRIBUTES[i] == attribute) {
                texts[i] = attributes.getString(3);
            }
        }
        for (int i = 0; i < numbers.length; i++) {
            if (Source.NUMBER_ATTRIBUTES[i] == attribute) {
                numbers[i] = attributes.getDouble(4);
            }
        }
    }

    private void nextAttribute() throws SQLException {
        attributeRow = attributes.next() ? attributes.getObject(1, UUID.class) : null;
    }

    @Override
    public void close() throws SQLException {
        entityConnection.close();
        attributeConnection.close();
    }
}
