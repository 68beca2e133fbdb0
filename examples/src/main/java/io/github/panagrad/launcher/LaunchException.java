package io.github.panagrad.launcher;

/// Says, in one sentence for the user, why Panagrad cannot be started.
final class LaunchException extends Exception {
    private static final long serialVersionUID = 1L;

    LaunchException(String message) {
        super(message);
    }
}
