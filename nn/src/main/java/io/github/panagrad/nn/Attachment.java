package io.github.panagrad.nn;

import java.util.List;

/// Something attached to a module from outside; closing it takes it off again.
@FunctionalInterface
public interface Attachment extends AutoCloseable {
    /// Detaches. A second call does nothing.
    @Override
    void close();

    /// Returns one attachment that detaches all of the given ones, the last attached first.
    static Attachment all(List<? extends Attachment> attachments) {
        var copy = List.copyOf(attachments);
        return () -> copy.reversed().forEach(Attachment::close);
    }
}
