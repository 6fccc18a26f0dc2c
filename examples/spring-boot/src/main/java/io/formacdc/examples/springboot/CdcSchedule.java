package io.formacdc.examples.springboot;

import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.duckdb.CdcRunner;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.Sweeper;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Runs what is to be run, each so long after its last end. What fails is tried again by the next run. When the service
 * stops, what is running is interrupted: it gives up what it has not committed, and the next start does it again.
 */
@Component
class CdcSchedule {
    private static final Logger LOG = LoggerFactory.getLogger(CdcSchedule.class);

    private final CdcRunner runner;
    private final Compactor compactor;
    private final Sweeper sweeper;
    private final Map<String, Run> lastRuns = new ConcurrentHashMap<>();
    private final Set<Thread> atWork = ConcurrentHashMap.newKeySet();
    private volatile boolean stopping;

    /** @param failure why it failed; null if it did not */
    record Run(Instant ended, @Nullable String failure) {}

    CdcSchedule(CdcRunner runner, Compactor compactor, Sweeper sweeper) {
        this.runner = runner;
        this.compactor = compactor;
        this.sweeper = sweeper;
    }

    @Scheduled(fixedDelayString = "${cdc.flush-every}")
    void flush() {
        run("flush", () -> runner.runOnce(false));
    }

    @Scheduled(fixedDelayString = "${cdc.compact-every}")
    void compact() {
        run("compaction", compactor::runOnce);
    }

    @Scheduled(fixedDelayString = "${cdc.sweep-every}")
    void sweep() {
        run("sweep", sweeper::sweep);
    }

    private void run(String name, Runnable work) {
        atWork.add(Thread.currentThread());
        try {
            if (!stopping) {
                work.run();
                lastRuns.put(name, new Run(Instant.now(), null));
            }
        } catch (CdcInterruptedException e) {
            LOG.info("{} interrupted: {}", name, e.getMessage());
        } catch (CdcException e) {
            LOG.warn("{} failed", name, e);
            lastRuns.put(name, new Run(Instant.now(), e.getMessage()));
        } finally {
            atWork.remove(Thread.currentThread());
        }
    }

    /** The last run of each kind that was not interrupted. */
    Map<String, Run> lastRuns() {
        return new TreeMap<>(lastRuns);
    }

    /** Spring waits afterwards for the threads to end, as long as {@code application.yml} says. */
    @EventListener(ContextClosedEvent.class)
    void interruptWhatIsAtWork() {
        stopping = true;
        atWork.forEach(Thread::interrupt);
    }
}
