package io.github.panagrad.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import java.util.ArrayList;
import org.junit.jupiter.api.Test;

class CharacterNoiseTest {
    private static final String TEXT = "the quick brown fox jumps over the lazy dog ".repeat(50);

    @Test
    void noRateChangesNothingAndAFullOneEverything() {
        assertThat(CharacterNoise.of(0, 1).apply(0, 3, TEXT)).isEqualTo(TEXT);
        assertThat(CharacterNoise.of(1, 1).apply(0, 3, TEXT)).isNotEqualTo(TEXT);
    }

    /// In one character nothing can be swapped: a quarter of the hits leave it as it is.
    @Test
    void asManyAreHitAsTheRateSaysAndEachKindAsOften() {
        var noise = CharacterNoise.of(0.4, 7);
        int rows = 20_000;
        int replaced = 0;
        int dropped = 0;
        int inserted = 0;
        for (int row = 0; row < rows; row++) {
            String noisy = noise.apply(0, row, "q");
            dropped += noisy.isEmpty() ? 1 : 0;
            inserted += noisy.length() == 2 && noisy.endsWith("q") ? 1 : 0;
            replaced += noisy.length() == 1 && !noisy.equals("q") ? 1 : 0;
        }
        double deviation = Math.sqrt(0.1 * 0.9 / rows);
        for (int count : new int[] {replaced, dropped, inserted}) {
            assertThat((double) count / rows).isCloseTo(0.1, offset(3 * deviation));
        }
    }

    @Test
    void neighboursAreSwapped() {
        var seen = new ArrayList<String>();
        for (int row = 0; row < 200; row++) {
            seen.add(CharacterNoise.of(0.5, 2).apply(0, row, "ÄÖ"));
        }
        assertThat(seen).contains("ÖÄ", "ÄÖ");
    }

    @Test
    void hitsDependOnSeedEpochAndRowAlone() {
        var noise = CharacterNoise.of(0.1, 5);
        String noisy = noise.apply(2, 9, TEXT);
        assertThat(CharacterNoise.of(0.1, 5).apply(2, 9, TEXT)).isEqualTo(noisy);
        assertThat(noise.apply(3, 9, TEXT)).isNotEqualTo(noisy);
        assertThat(noise.apply(2, 8, TEXT)).isNotEqualTo(noisy);
        assertThat(CharacterNoise.of(0.1, 6).apply(2, 9, TEXT)).isNotEqualTo(noisy);
        // What comes behind a character does not decide about it.
        assertThat(noisy).startsWith(noise.apply(2, 9, TEXT.substring(0, 60)).substring(0, 40));
    }

    @Test
    void charactersOfTwoUnitsStayWhole() {
        String smile = new String(Character.toChars(0x1F600)).repeat(40);
        String noisy = CharacterNoise.of(0.7, 1).apply(0, 0, smile);
        assertThat(noisy.codePoints()).allMatch(c -> c == 0x1F600 || (c >= 'a' && c <= 'z'));
        assertThatThrownBy(() -> CharacterNoise.of(2, 0)).hasMessageContaining("0 to 1");
    }
}
