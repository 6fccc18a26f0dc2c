package io.formacdc.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Lists of files in memory, to which only flushes append. */
public final class MemoryFileLog implements FileLog {
    private final Map<Integer, List<String>> lists = new ConcurrentHashMap<>();

    /** Keys listed, in order. */
    public synchronized List<String> listed(int schemaId) {
        return List.copyOf(listOf(schemaId));
    }

    private List<String> listOf(int schemaId) {
        return lists.computeIfAbsent(schemaId, id -> new ArrayList<>());
    }

    @Override
    public synchronized Appender open(int schemaId) {
        SchemaIds.check(schemaId);
        return new Appender() {
            private int expected = listed(schemaId).size();

            @Override
            public void append(FlushedFile file) {
                synchronized (MemoryFileLog.this) {
                    List<String> list = listOf(schemaId);
                    if (list.size() != expected) {
                        throw new FencedException("another flush of schema " + schemaId + " has appended");
                    }
                    list.add(file.key());
                    expected++;
                }
            }
        };
    }
}
