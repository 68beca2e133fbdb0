package io.github.panagrad.engine.ground;

/// The root of all errors that the library raises on purpose.
///
/// The message says which operation failed, what it got, what it expected and how to mend it:
/// `op: what | got | expected | hint`, empty parts left out.
public class PanagradException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// Creates an error with a message that already reads well on its own line.
    public PanagradException(String message) {
        super(message);
    }

    /// Creates an error with a message that already reads well on its own line, and its cause.
    public PanagradException(String message, Throwable cause) {
        super(message, cause);
    }

    /// Composes the message from its parts.
    ///
    /// @param where the operation or file the error is about
    /// @param what what went wrong
    /// @param got what was found
    /// @param expected what would have been right; empty when obvious
    /// @param hint how to mend it; empty when there is nothing to say
    public PanagradException(String where, String what, String got, String expected, String hint) {
        super(compose(where, what, got, expected, hint));
    }

    private static String compose(
            String where, String what, String got, String expected, String hint) {
        var message = new StringBuilder(where).append(": ").append(what);
        if (!got.isEmpty()) {
            message.append("; got ").append(got);
        }
        if (!expected.isEmpty()) {
            message.append("; expected ").append(expected);
        }
        if (!hint.isEmpty()) {
            message.append("; ").append(hint);
        }
        return message.toString();
    }
}
