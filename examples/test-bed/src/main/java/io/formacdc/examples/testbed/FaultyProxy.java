package io.formacdc.examples.testbed;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Stands between an S3 client and its server, and does to requests what networks and overloaded stores do. A request is
 * passed on byte for byte, so that its signature holds; one request, one connection. Thread-safe.
 */
final class FaultyProxy implements AutoCloseable {
    /** What becomes of a request. */
    enum Fault {
        /** The server never sees it. */
        ERROR_500(true),
        ERROR_503(true),
        /** As S3 answers to a conditional put that runs into another one. */
        CONFLICT_409(true),
        /** The server takes it, and the client hears that its condition failed, as after a second sending. */
        REFUSED_412_AFTER(true),
        ERROR_500_AFTER(true),
        RESET_BEFORE(true),
        RESET_AFTER(true),
        /** The server takes it, and nobody hears of that object for so long that every retry is used up. */
        DARK_AFTER(true),
        SLOW(true),
        /** Half of an answer's body, and the end of the connection. */
        TRUNCATED(false),
        /** An answer to the same question, given a while ago. */
        STALE_LIST(false);

        private final boolean isForAll;

        Fault(boolean isForAll) {
            this.isForAll = isForAll;
        }
    }

    private static final int SLOW_MILLIS = 300;

    /** More than the reloads of a manifest, each with the client's own retries. */
    private static final int DARK_REQUESTS = 60;

    private final ServerSocket listener;
    private final String serverHost;
    private final int serverPort;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "faulty-proxy");
        thread.setDaemon(true);
        return thread;
    });
    private final Random random;
    private final Map<String, byte[]> lists = new ConcurrentHashMap<>();
    private final Map<Fault, Integer> injected = new EnumMap<>(Fault.class);

    /** Requests that are still to fail, by the path of their object. */
    private final Map<String, Integer> dark = new HashMap<>();

    private long requests;
    private double rate;

    /** Listens on a free port; passes everything on until {@link #setRate} says otherwise. */
    FaultyProxy(URI server, long seed) {
        this.serverHost = server.getHost();
        this.serverPort = server.getPort();
        this.random = new Random(seed);
        try {
            this.listener = new ServerSocket(0, 256, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        threads.execute(this::listen);
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + listener.getLocalPort());
    }

    /** How many of the requests go wrong from now on, 0 to 1. */
    synchronized void setRate(double newRate) {
        rate = newRate;
        dark.clear();
    }

    /** What was done so far. */
    synchronized String statistics() {
        int faults = injected.values().stream().mapToInt(n -> n).sum();
        return requests + " requests, " + faults + " faults: " + injected;
    }

    synchronized Map<Fault, Integer> injected() {
        return new EnumMap<>(injected);
    }

    private void listen() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                threads.execute(() -> serve(client));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void serve(Socket client) {
        try (client) {
            Message request = Message.read(client.getInputStream(), client.getOutputStream());
            if (request != null) {
                answer(request, client);
            }
        } catch (IOException e) {
            // One of the two has gone; the client notices, and that is what it is for.
            return;
        }
    }

    private synchronized @Nullable Fault next(Message request) {
        requests++;
        if (dark.computeIfPresent(request.path(), (path, left) -> left == 1 ? null : left - 1) != null) {
            return Fault.RESET_BEFORE;
        }
        if (random.nextDouble() >= rate) {
            return null;
        }
        List<Fault> possible = Stream.of(Fault.values())
                .filter(fault ->
                        fault.isForAll || (fault == Fault.STALE_LIST ? request.isList() : request.startsWith("GET ")))
                .filter(fault ->
                        request.isConditionalPut() || (fault != Fault.CONFLICT_409 && fault != Fault.REFUSED_412_AFTER))
                .filter(fault -> fault != Fault.DARK_AFTER || request.isManifestPut())
                .toList();
        // Half of them the rarest so far, so that each kind has its turn.
        Fault fault = random.nextBoolean()
                ? possible.get(random.nextInt(possible.size()))
                : Collections.min(possible, Comparator.comparing(kind -> injected.getOrDefault(kind, 0)));
        injected.merge(fault, 1, Integer::sum);
        if (fault == Fault.DARK_AFTER) {
            dark.put(request.path(), DARK_REQUESTS);
        }
        return fault;
    }

    private void answer(Message request, Socket client) throws IOException {
        Fault fault = next(request);
        if (fault == null) {
            send(client, forward(request));
            return;
        }
        switch (fault) {
            case ERROR_500 -> send(client, error(500, "InternalError"));
            case ERROR_503 -> send(client, error(503, "SlowDown"));
            case CONFLICT_409 -> send(client, error(409, "ConditionalRequestConflict"));
            case REFUSED_412_AFTER -> {
                forward(request);
                send(client, error(412, "PreconditionFailed"));
            }
            case ERROR_500_AFTER -> {
                forward(request);
                send(client, error(500, "InternalError"));
            }
            case RESET_BEFORE -> client.setSoLinger(true, 0);
            case RESET_AFTER, DARK_AFTER -> {
                forward(request);
                client.setSoLinger(true, 0);
            }
            case SLOW -> {
                pause();
                send(client, forward(request));
            }
            case TRUNCATED -> {
                byte[] whole = forward(request);
                int head = new String(whole, ISO_8859_1).indexOf("\r\n\r\n") + 4;
                client.getOutputStream().write(whole, 0, head + (whole.length - head) / 2);
            }
            case STALE_LIST -> {
                byte[] earlier = lists.get(request.target());
                send(client, earlier == null ? forward(request) : earlier);
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(SLOW_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void send(Socket client, byte[] answer) throws IOException {
        client.getOutputStream().write(answer);
        client.getOutputStream().flush();
        client.shutdownOutput();
    }

    private byte[] forward(Message request) throws IOException {
        try (Socket server = new Socket(serverHost, serverPort)) {
            server.getOutputStream().write(request.bytes());
            server.getOutputStream().flush();
            byte[] answer = server.getInputStream().readAllBytes();
            if (request.isList()) {
                lists.put(request.target(), answer);
            }
            return answer;
        }
    }

    private static byte[] error(int status, String code) {
        String body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>" + code + "</Code><Message>injected "
                + code + "</Message></Error>";
        return ("HTTP/1.1 " + status + " " + code + "\r\nContent-Type: application/xml\r\nContent-Length: "
                        + body.length() + "\r\nConnection: close\r\n\r\n" + body)
                .getBytes(ISO_8859_1);
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            threads.shutdownNow();
        }
    }

    /** A request: its head, made to close the connection behind it, and its body. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Message(String head, byte[] body) {
        static @Nullable Message read(InputStream in, OutputStream out) throws IOException {
            ByteArrayOutputStream head = new ByteArrayOutputStream();
            int last4 = 0;
            while (last4 != 0x0D0A0D0A) {
                int next = in.read();
                if (next < 0) {
                    return null;
                }
                head.write(next);
                last4 = (last4 << 8) | next;
            }
            String text = head.toString(ISO_8859_1);
            if (header(text, "expect") != null) {
                out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(ISO_8859_1));
                out.flush();
            }
            String length = header(text, "content-length");
            int size = length == null ? 0 : Integer.parseInt(length);
            byte[] body = in.readNBytes(size);
            if (body.length < size) {
                throw new EOFException("the client went away");
            }
            return new Message(text, body);
        }

        private static @Nullable String header(String head, String name) {
            return head.lines()
                    .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(name + ":"))
                    .map(line -> line.substring(name.length() + 1).strip())
                    .findFirst()
                    .orElse(null);
        }

        boolean startsWith(String method) {
            return head.startsWith(method);
        }

        /** Method, path and query. */
        String target() {
            return head.lines().findFirst().orElseThrow();
        }

        String path() {
            return target().split("[ ?]", -1)[1];
        }

        boolean isManifestPut() {
            return isConditionalPut() && path().endsWith(".json") && !path().contains(".probe-");
        }

        boolean isList() {
            return startsWith("GET ") && target().contains("list-type=2");
        }

        boolean isConditionalPut() {
            return startsWith("PUT ") && (header(head, "if-match") != null || header(head, "if-none-match") != null);
        }

        /** None of the changed headers is signed. */
        byte[] bytes() {
            StringBuilder passed = new StringBuilder();
            head.lines()
                    .filter(line -> !line.isEmpty())
                    .filter(line -> {
                        String lower = line.toLowerCase(Locale.ROOT);
                        return !lower.startsWith("connection:") && !lower.startsWith("expect:");
                    })
                    .forEach(line -> passed.append(line).append("\r\n"));
            passed.append("Connection: close\r\n\r\n");
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            all.writeBytes(passed.toString().getBytes(ISO_8859_1));
            all.writeBytes(body);
            return all.toByteArray();
        }
    }
}
