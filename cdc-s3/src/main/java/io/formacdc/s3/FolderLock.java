package io.formacdc.s3;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One holder at a time, among the threads of this process and among processes of this machine. A file's lock belongs to
 * the process, so threads need one of their own. A process that dies lets go.
 */
final class FolderLock {
    private static final ConcurrentMap<Path, ReentrantLock> THREADS = new ConcurrentHashMap<>();

    private FolderLock() {}

    interface Action {
        void run() throws IOException;
    }

    /** Waits for the lock, and gives up when interrupted. */
    static void hold(Path folder, Action action) throws IOException, InterruptedException {
        Path file = folder.toRealPath().resolve("lock");
        ReentrantLock threads = THREADS.computeIfAbsent(file, path -> new ReentrantLock());
        threads.lockInterruptibly();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock held = channel.lock()) {
            action.run();
        } finally {
            threads.unlock();
        }
    }
}
