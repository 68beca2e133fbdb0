package io.github.panagrad.engine;

import static io.github.panagrad.engine.Ops.einsum;
import static io.github.panagrad.engine.Ops.eye;
import static io.github.panagrad.engine.Ops.ones;
import static io.github.panagrad.engine.Ops.randn;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.check.GradCheck;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.ShapeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EinsumTest {
    private static final int[] EXTENTS = {2, 3, 4, 5};

    private final Rng rng = Rng.of(11);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ab,bc->ac",
                "ab,cb->ac",
                "ab,bc->ca",
                "ab,bc",
                "abc,acd->abd",
                "abc,dc->abd",
                "ab,ab->ab",
                "ab,ab->",
                "a,b->ba",
                "ab->ba",
                "ab->b",
                "abc->",
                "aa->a",
                "aa",
                "aba->ba",
                "aab,bc->ac",
                "ab,bc,cd->ad",
                "ab,ca,bd,c->dc",
                "a b , b c -> a c",
            })
    void equalsTheSumItStandsFor(String equation) {
        check(equation);
    }

    @Test
    void equalsTheSumItStandsForOnRandomEquations() {
        long seed = Long.getLong("panagrad.seed", 1);
        var random = new Random(seed);
        for (int i = 0; i < 200; i++) {
            String equation = randomEquation(random);
            try {
                check(equation);
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed + ", equation " + equation, e);
            }
        }
    }

    private static String randomEquation(Random random) {
        var terms = new ArrayList<String>();
        var seen = new StringBuilder();
        for (int i = 0, n = 1 + random.nextInt(3); i < n; i++) {
            var term = new StringBuilder();
            for (int j = 0, rank = random.nextInt(4); j < rank; j++) {
                term.append((char) ('a' + random.nextInt(EXTENTS.length)));
            }
            seen.append(term);
            terms.add(term.toString());
        }
        var result = new StringBuilder();
        for (char label = 'd'; label >= 'a'; label--) {
            if (seen.indexOf("" + label) >= 0 && random.nextBoolean()) {
                result.append(label);
            }
        }
        return String.join(",", terms) + "->" + result;
    }

    private void check(String equation) {
        String text = equation.replace(" ", "");
        String[] sides = text.split("->", -1);
        String[] terms = sides[0].split(",", -1);
        String result = sides.length == 2 ? sides[1] : occurringOnce(sides[0]);
        Tensor[] operands = new Tensor[terms.length];
        for (int i = 0; i < terms.length; i++) {
            operands[i] = randn(rng, extents(terms[i]));
        }
        Tensor y = einsum(equation, operands);
        assertThat(y.shape().toArray()).isEqualTo(extents(result));
        double[] actual = y.toDoubles();
        double[] expected = sums(terms, result, operands);
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i])
                    .as("%s, element %d", equation, i)
                    .isCloseTo(expected[i], within(1e-4 * (1 + Math.abs(expected[i]))));
        }
    }

    private static String occurringOnce(String terms) {
        var once = new StringBuilder();
        for (char label = 'a'; label <= 'd'; label++) {
            if (terms.indexOf(label) >= 0 && terms.indexOf(label) == terms.lastIndexOf(label)) {
                once.append(label);
            }
        }
        return once.toString();
    }

    private static int[] extents(String labels) {
        return labels.chars().map(label -> EXTENTS[label - 'a']).toArray();
    }

    /// Goes through every combination of all four letters that occur.
    private static double[] sums(String[] terms, String result, Tensor[] operands) {
        String all = String.join("", terms);
        int[] bounds = new int[4];
        for (int i = 0; i < 4; i++) {
            bounds[i] = all.indexOf('a' + i) >= 0 ? EXTENTS[i] : 1;
        }
        int size = 1;
        for (int extent : extents(result)) {
            size *= extent;
        }
        double[] sums = new double[size];
        int[] at = new int[4];
        for (int n = 0; n < bounds[0] * bounds[1] * bounds[2] * bounds[3]; n++) {
            int rest = n;
            for (int i = 0; i < 4; i++) {
                at[i] = rest % bounds[i];
                rest /= bounds[i];
            }
            double product = 1;
            for (int i = 0; i < terms.length; i++) {
                product *= operands[i].at(terms[i].chars().map(l -> at[l - 'a']).toArray());
            }
            int place = 0;
            for (char label : result.toCharArray()) {
                place = place * EXTENTS[label - 'a'] + at[label - 'a'];
            }
            sums[place] += product;
        }
        return sums;
    }

    @Test
    void dotsStandForLeadingDimensionsThatBroadcast() {
        Tensor a = randn(rng, 2, 1, 3, 4);
        Tensor b = randn(rng, 5, 4, 6);
        assertThat(einsum("...ij,...jk->...ik", a, b).toFloats()).isEqualTo(a.matmul(b).toFloats());
        assertThat(einsum("...ij,...jk", a, b).shape()).isEqualTo(a.matmul(b).shape());
        assertThat(einsum("...ij->...ji", a).toFloats()).isEqualTo(a.transpose().toFloats());
        assertThat(einsum("...->", a).item()).isCloseTo(a.sum().item(), within(1e-5));
    }

    @Test
    void hasGradients() {
        for (String equation : List.of("ab,bc->ac", "aab,bc->ca", "ab,ab->", "abb->a")) {
            String[] terms = equation.substring(0, equation.indexOf("->")).split(",");
            Tensor[] operands = new Tensor[terms.length];
            boolean[] all = new boolean[terms.length];
            for (int i = 0; i < terms.length; i++) {
                operands[i] = randn(rng, extents(terms[i]));
                all[i] = true;
            }
            double error =
                    GradCheck.maxError(in -> new Tensor[] {einsum(equation, in)}, operands, all);
            assertThat(error).as(equation).isLessThan(1e-6);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    ij,jk->ik     | extents of j differ; got 3 and 2 in f32[2,3]; expected one extent a letter
                    ijk,jl->ik    | operand has the wrong rank; got ijk for f32[2,3]; expected 3 dimensions
                    ij->i         | number of operands differs; got 2 tensors; expected 1
                    ij,kl->im     | the result has a letter that no operand has; got m
                    ij,kl->ii     | the result has a letter twice; got i
                    i?,kl->i      | not a letter; got '?'; expected a to z, A to Z or ...
                    """)
    void explainsWhatIsWrong(String equation, String message) {
        assertThatThrownBy(() -> einsum(equation, ones(2, 3), ones(2, 3)))
                .isInstanceOf(ShapeException.class)
                .hasMessage("einsum \"" + equation + "\": " + message);
    }

    @Test
    void aRepeatedLetterNeedsASquare() {
        assertThat(einsum("ii", eye(3)).item()).isEqualTo(3);
        assertThatThrownBy(() -> einsum("ii", ones(2, 3)))
                .hasMessageContaining("extents of i differ; got 2 and 3 in f32[2,3]");
    }
}
