package io.formacdc.examples.quickstart;

/** What a person is told of an exception: its message, without a stack trace. */
final class Failure {
    private Failure() {}

    static String messageOf(Exception e) {
        if (CtrlC.isPressed()) {
            return "interrupted; servers are stopped and temporary files deleted";
        }
        String message = e.getMessage();
        return message == null ? e.toString() : message;
    }
}
