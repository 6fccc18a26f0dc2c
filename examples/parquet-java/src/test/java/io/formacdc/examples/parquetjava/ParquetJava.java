package io.formacdc.examples.parquetjava;

import com.github.luben.zstd.Zstd;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.jspecify.annotations.Nullable;

/** A Parquet file as parquet-java reads it. */
record ParquetJava(MessageType schema, List<Map<String, @Nullable Object>> rows) {
    static ParquetJava read(Path file) throws IOException {
        ParquetReadOptions options = ParquetReadOptions.builder(new PlainParquetConfiguration())
                .withCodecFactory(new ZstdAlone())
                .build();
        try (ParquetFileReader reader = ParquetFileReader.open(new LocalInputFile(file), options)) {
            MessageType schema = reader.getFileMetaData().getSchema();
            List<Map<String, @Nullable Object>> rows = new ArrayList<>();
            for (PageReadStore pages = reader.readNextRowGroup(); pages != null; pages = reader.readNextRowGroup()) {
                RecordReader<Group> records = new ColumnIOFactory()
                        .getColumnIO(schema)
                        .getRecordReader(pages, new GroupRecordConverter(schema));
                for (long i = 0; i < pages.getRowCount(); i++) {
                    rows.add(row(records.read()));
                }
            }
            return new ParquetJava(schema, rows);
        }
    }

    /** The schema's text with every column optional: DuckDB says {@code required} where it sees that none is NULL. */
    String asOptional() {
        return schema.toString().replace("  required ", "  optional ");
    }

    private static Map<String, @Nullable Object> row(Group group) {
        Map<String, @Nullable Object> row = new LinkedHashMap<>();
        for (Type field : group.getType().getFields()) {
            row.put(field.getName(), value(group, field));
        }
        return row;
    }

    private static @Nullable Object value(Group group, Type field) {
        if (group.getFieldRepetitionCount(field.getName()) == 0) {
            return null;
        }
        if (field.getLogicalTypeAnnotation() instanceof LogicalTypeAnnotation.ListLogicalTypeAnnotation) {
            Group list = group.getGroup(field.getName(), 0);
            List<@Nullable Object> items = new ArrayList<>();
            for (int i = 0; i < list.getFieldRepetitionCount(0); i++) {
                Group item = list.getGroup(0, i);
                items.add(value(item, item.getType().getType(0)));
            }
            return items;
        }
        return field.isPrimitive() ? primitive(group, field) : row(group.getGroup(field.getName(), 0));
    }

    private static Object primitive(Group group, Type field) {
        String name = field.getName();
        return switch (field.asPrimitiveType().getPrimitiveTypeName()) {
            case BOOLEAN -> group.getBoolean(name, 0);
            case INT32 -> group.getInteger(name, 0);
            case INT64 -> group.getLong(name, 0);
            case DOUBLE -> group.getDouble(name, 0);
            case FIXED_LEN_BYTE_ARRAY -> {
                ByteBuffer bytes = group.getBinary(name, 0).toByteBuffer();
                yield new UUID(bytes.getLong(), bytes.getLong());
            }
            case BINARY -> group.getString(name, 0);
            default -> throw new IllegalArgumentException("no column is of " + field);
        };
    }

    /** parquet-java's own codecs are Hadoop's. */
    private static final class ZstdAlone implements CompressionCodecFactory {
        @Override
        public BytesInputDecompressor getDecompressor(CompressionCodecName codec) {
            if (codec != CompressionCodecName.ZSTD) {
                throw new IllegalArgumentException("not " + codec);
            }
            return new BytesInputDecompressor() {
                @Override
                public BytesInput decompress(BytesInput bytes, int decompressedSize) throws IOException {
                    byte[] compressed = bytes.toInputStream().readAllBytes();
                    return BytesInput.from(Zstd.decompress(compressed, decompressedSize));
                }

                @Override
                public void decompress(ByteBuffer in, int compressedSize, ByteBuffer out, int decompressedSize) {
                    throw new UnsupportedOperationException("off the heap");
                }

                @Override
                public void release() {}
            };
        }

        @Override
        public BytesInputCompressor getCompressor(CompressionCodecName codec) {
            throw new UnsupportedOperationException("nothing is written");
        }

        @Override
        public void release() {}
    }
}
