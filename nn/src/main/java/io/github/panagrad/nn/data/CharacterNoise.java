package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;

/// Spoils texts letter by letter, for experiments with methods that bear noise: a hit character is
/// replaced, left out, doubled by another before it, or swapped with the next one, each as likely.
///
/// What befalls a character depends on the seed, the epoch, the row and the character's place alone.
public final class CharacterNoise {
    private static final int LETTERS = 26;
    private static final int KINDS = 4;

    private final double rate;
    private final long seed;

    private CharacterNoise(double rate, long seed) {
        this.rate = rate;
        this.seed = seed;
    }

    /// Creates noise.
    ///
    /// @param rate the share of characters that is hit, from 0 to 1
    public static CharacterNoise of(double rate, long seed) {
        if (!(rate >= 0 && rate <= 1)) {
            throw new PanagradException(
                    "characterNoise", "rate is out of range", "" + rate, "0 to 1", "");
        }
        return new CharacterNoise(rate, seed);
    }

    /// Returns what becomes of a text.
    ///
    /// @param epoch the number of the pass over the data; each has other hits
    /// @param row the number of the row in the data
    public String apply(long epoch, long row, String text) {
        var draw = new Rng.Draw(seed, epoch << 32 | row);
        int[] characters = text.codePoints().toArray();
        var noisy = new StringBuilder();
        for (int i = 0; i < characters.length; i++) {
            if (draw.uniform(3L * i) >= rate) {
                noisy.appendCodePoint(characters[i]);
                continue;
            }
            switch ((int) (KINDS * draw.uniform(3L * i + 1))) {
                case 0 -> noisy.append(other(characters[i], draw, i));
                case 1 -> noisy.append("");
                case 2 -> noisy.append(other(-1, draw, i)).appendCodePoint(characters[i]);
                default -> {
                    if (i + 1 < characters.length) {
                        noisy.appendCodePoint(characters[i + 1]);
                    }
                    noisy.appendCodePoint(characters[i]);
                    i++;
                }
            }
        }
        return noisy.toString();
    }

    /// Draws a letter that is not the one given.
    private static char other(int than, Rng.Draw draw, int at) {
        int place = than - 'a';
        boolean isLetter = place >= 0 && place < LETTERS;
        int drawn = (int) ((isLetter ? LETTERS - 1 : LETTERS) * draw.uniform(3L * at + 2));
        return (char) ('a' + (isLetter && drawn >= place ? drawn + 1 : drawn));
    }
}
