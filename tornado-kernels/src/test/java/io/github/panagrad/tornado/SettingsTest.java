package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Settings of TornadoVM without which results would be wrong and nobody would see it.
class SettingsTest {
    @ParameterizedTest
    @CsvSource({
        "tornado.recover.bailout, would run on stale data",
        "tornado.cuda.host.pinning, the numbers of a later one"
    })
    void refusesToRunWhereTheUserHasUndoneThem(String name, String why) {
        assertThat(new TornadoBackend().unavailable()).isEmpty();
        String before = System.setProperty(name, "True");
        try {
            assertThat(new TornadoBackend().unavailable())
                    .hasValueSatisfying(
                            reason -> assertThat(reason).contains(why).contains("-D" + name));
        } finally {
            System.setProperty(name, before);
        }
    }

    @Test
    void whatTheUserHasSetIsKept() {
        String name = "tornado.max.events";
        String before = System.setProperty(name, "128");
        try {
            assertThat(new TornadoBackend().unavailable()).isEmpty();
            assertThat(System.getProperty(name)).isEqualTo("128");
        } finally {
            if (before == null) {
                System.clearProperty(name);
            } else {
                System.setProperty(name, before);
            }
        }
    }
}
