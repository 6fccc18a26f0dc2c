package io.formacdc.examples.references;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.column.ParquetProperties;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;
import org.apache.parquet.schema.Types.MessageTypeBuilder;

/** JDBC into parquet-java on one thread, by a write support that takes values straight from the result set. */
final class ParquetJava implements References.Way {
    private final Source source;

    ParquetJava(Source source) {
        this.source = source;
    }

    @Override
    public long export(Path target) throws SQLException, IOException {
        Configuration hadoop = new Configuration(false);
        hadoop.setInt("parquet.compression.codec.zstd.level", 3);
        long count = 0;
        try (Rows rows = new Rows(source);
                ParquetWriter<Rows> writer = new Builder(new LocalOutputFile(target), source.schemaId())
                        .withConf(hadoop)
                        .withWriterVersion(ParquetProperties.WriterVersion.PARQUET_2_0)
                        .withCompressionCodec(CompressionCodecName.ZSTD)
                        .withRowGroupSize(64L << 20)
                        .build()) {
            while (rows.next()) {
                writer.write(rows);
                count++;
            }
        }
        return count;
    }

    @Override
    public void close() {}

    private static final class Builder extends ParquetWriter.Builder<Rows, Builder> {
        private final int schemaId;

        Builder(OutputFile file, int schemaId) {
            super(file);
            this.schemaId = schemaId;
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        protected WriteSupport<Rows> getWriteSupport(Configuration configuration) {
            return new RowSupport(schemaId);
        }
    }

    private static final class RowSupport extends WriteSupport<Rows> {
        private final MessageType schema = schema();
        private final int schemaId;
        private RecordConsumer out;

        @SuppressWarnings("NullAway.Init") // parquet-java calls prepareForWrite before the first write
        RowSupport(int schemaId) {
            this.schemaId = schemaId;
        }

        @Override
        public WriteContext init(Configuration configuration) {
            return new WriteContext(schema, Map.of());
        }

        @Override
        public void prepareForWrite(RecordConsumer recordConsumer) {
            out = recordConsumer;
        }

        @Override
        public void write(Rows rows) {
            try {
                writeRow(rows);
            } catch (SQLException e) {
                throw new IllegalStateException("reading from PostgreSQL failed", e);
            }
        }

        private void writeRow(Rows rows) throws SQLException {
            ResultSet entity = rows.entity();
            out.startMessage();
            field(0, () -> out.addInteger(schemaId));
            field(1, () -> out.addBinary(binary(entity.getObject(1, UUID.class))));
            for (int column = 2; column <= 6; column++) {
                longField(entity, column, column);
            }
            for (int column = 7; column <= 10; column++) {
                textField(entity.getString(column), column);
            }
            for (int column = 11; column <= 14; column++) {
                int value = entity.getInt(column);
                field(column, () -> out.addInteger(value));
            }
            for (int column = 15; column <= 17; column++) {
                longField(entity, column, column);
            }
            for (int column = 18; column <= 21; column++) {
                double value = entity.getDouble(column);
                field(column, () -> out.addDouble(value));
            }
            field(22, () -> out.addBinary(binary(entity.getObject(22, UUID.class))));
            int column = 23;
            for (String text : rows.texts) {
                textField(text, column++);
            }
            for (double number : rows.numbers) {
                if (!Double.isNaN(number)) {
                    field(column, () -> out.addDouble(number));
                }
                column++;
            }
            out.endMessage();
        }

        private void longField(ResultSet entity, int from, int column) throws SQLException {
            long value = entity.getLong(from);
            if (!entity.wasNull()) {
                field(column, () -> out.addLong(value));
            }
        }

        private void textField(@org.jspecify.annotations.Nullable String text, int column) throws SQLException {
            if (text != null) {
                field(column, () -> out.addBinary(Binary.fromString(text)));
            }
        }

        private interface Value {
            void add() throws SQLException;
        }

        private void field(int column, Value value) throws SQLException {
            String name = schema.getFieldName(column);
            out.startField(name, column);
            value.add();
            out.endField(name, column);
        }

        private static Binary binary(UUID uuid) {
            byte[] bytes = new byte[16];
            ByteBuffer.wrap(bytes).putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits());
            return Binary.fromConstantByteArray(bytes);
        }

        private static MessageType schema() {
            MessageTypeBuilder message = Types.buildMessage();
            message.optional(PrimitiveTypeName.INT32).named("schema_id");
            uuid(message, "row_id");
            for (String name : new String[] {
                "changed_at", "deleted_at", "ltbase_created_at", "ltbase_updated_at", "ltbase_deleted_at"
            }) {
                message.optional(PrimitiveTypeName.INT64).named(name);
            }
            text(message, "t1", "t2", "t3", "t4");
            numbers(message, PrimitiveTypeName.INT32, "s1", "i1", "i2", "i3");
            numbers(message, PrimitiveTypeName.INT64, "b1", "b2", "b3");
            numbers(message, PrimitiveTypeName.DOUBLE, "d1", "d2", "d3", "d4");
            uuid(message, "u1");
            text(message, "e1", "e2", "e3");
            numbers(message, PrimitiveTypeName.DOUBLE, "n1", "n2", "n3");
            return message.named("row");
        }

        private static void uuid(MessageTypeBuilder message, String name) {
            message.optional(PrimitiveTypeName.FIXED_LEN_BYTE_ARRAY)
                    .length(16)
                    .as(LogicalTypeAnnotation.uuidType())
                    .named(name);
        }

        private static void text(MessageTypeBuilder message, String... names) {
            for (String name : names) {
                message.optional(PrimitiveTypeName.BINARY)
                        .as(LogicalTypeAnnotation.stringType())
                        .named(name);
            }
        }

        private static void numbers(MessageTypeBuilder message, PrimitiveTypeName type, String... names) {
            for (String name : names) {
                message.optional(type).named(name);
            }
        }
    }
}
