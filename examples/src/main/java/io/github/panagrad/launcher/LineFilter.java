package io.github.panagrad.launcher;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/// Passes everything on but the first line that reads as given.
///
/// Bytes are held back only while they still may become that line, so that a progress bar, which
/// ends no line, is seen at once.
final class LineFilter extends FilterOutputStream {
    private final byte[] dropped;
    private boolean done;
    private boolean lineMayMatch = true;
    private int matched;
    private boolean carriageReturn;

    LineFilter(OutputStream to, String dropped) {
        super(to);
        this.dropped = dropped.getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public void write(int octet) throws IOException {
        if (done) {
            out.write(octet);
            return;
        }
        if (lineMayMatch && matched < dropped.length && octet == dropped[matched]) {
            matched++;
            return;
        }
        if (lineMayMatch && matched == dropped.length) {
            if (octet == '\n') {
                done = true;
                return;
            }
            if (octet == '\r' && !carriageReturn) {
                carriageReturn = true;
                return;
            }
        }
        release();
        out.write(octet);
        lineMayMatch = octet == '\n';
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        if (done) {
            out.write(bytes, offset, length);
            return;
        }
        for (int i = offset; i < offset + length; i++) {
            write(bytes[i]);
        }
    }

    /// Passes on what was held back; for the end of the stream, or a line that turned out another.
    private void release() throws IOException {
        out.write(dropped, 0, matched);
        matched = 0;
        if (carriageReturn) {
            out.write('\r');
            carriageReturn = false;
        }
    }

    @Override
    public void close() throws IOException {
        if (!done) {
            release();
        }
        super.flush();
    }
}
