package io.github.panagrad.launcher;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineFilterTest {
    private static final String WARNING = "WARNING: vectors";

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final LineFilter filter = new LineFilter(out, WARNING);

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r\n"})
    void dropsTheLineOnceWhereverItStands(String end) throws IOException {
        write("Picked up options" + end + WARNING + end + "error" + end + WARNING + end);

        assertThat(out.toString(US_ASCII))
                .isEqualTo("Picked up options" + end + "error" + end + WARNING + end);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "WARNING: other\n",
                "WARNING: vectors and more\n",
                "xWARNING: vectors\n",
                "WARNING: vectors\r\rx",
                "WARN",
                "WARNING: vectors"
            })
    void leavesEverythingElseAsItIs(String text) throws IOException {
        write(text);
        filter.close();

        assertThat(out.toString(US_ASCII)).isEqualTo(text);
    }

    @Test
    void holdsNoProgressBarBack() throws IOException {
        write("\r 10 %");

        assertThat(out.toString(US_ASCII)).isEqualTo("\r 10 %");
    }

    private void write(String text) throws IOException {
        filter.write(text.getBytes(US_ASCII));
    }
}
