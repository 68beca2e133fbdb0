package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.op.LinearCrossEntropy;
import io.github.panagrad.engine.op.PerTokenHead;
import io.github.panagrad.engine.spi.View;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Both heads over a vocabulary: the reduced loss and the one with a loss a token.
class LinearCrossEntropyTest {
    private static final int IGNORED = -100;

    /// The operands of one call, and its results.
    private static final class Call {
        final int tokens;
        final int dim;
        final int vocabulary;
        final HeadOptions options;
        final View hidden;
        final View weight;
        final View targets;
        final View tokenWeights;
        View[] results = {};

        Call(
                Random random,
                HeadOptions options,
                DType stored,
                int tokens,
                int dim,
                int vocabulary) {
            this.tokens = tokens;
            this.dim = dim;
            this.vocabulary = vocabulary;
            this.options = options;
            hidden = normal(random, DType.F32, tokens, dim);
            weight = normal(random, stored, vocabulary, dim);
            int[] ids = new int[tokens];
            for (int i = 0; i < tokens; i++) {
                ids[i] = random.nextInt(3) == 0 ? IGNORED : random.nextInt(vocabulary);
            }
            targets = new View(HeapStorage.of(ids), Layout.contiguous(Shape.of(tokens)));
            tokenWeights = normal(random, DType.F32, tokens);
        }

        Call reduced(boolean dHidden, boolean dWeight) {
            var op = new LinearCrossEntropy(options, dHidden, dWeight);
            results = new View[4 + (dHidden ? 1 : 0) + (dWeight ? 1 : 0)];
            results[0] = undefined();
            results[1] = undefined(tokens);
            results[2] = undefined();
            results[3] = undefined(tokens);
            if (dHidden) {
                results[4] = undefined(tokens, dim);
            }
            if (dWeight) {
                results[results.length - 1] = undefined(vocabulary, dim);
            }
            new LinearCrossEntropyKernel()
                    .run(op, new View[] {hidden, weight, targets, tokenWeights}, results);
            return this;
        }

        HeadOracle oracle() {
            int[] ids = Arrays.copyOf(targets.ints(), tokens);
            return new HeadOracle(options, matrix(hidden), matrix(weight), ids);
        }

        double[] weights() {
            double[] w = new double[tokens];
            for (int i = 0; i < tokens; i++) {
                w[i] = tokenWeights.get(i);
            }
            return w;
        }

        @Override
        public String toString() {
            return "N %d D %d V %d %s %s"
                    .formatted(tokens, dim, vocabulary, weight.dtype(), options);
        }
    }

    private static View view(DType dtype, int... dims) {
        Shape shape = Shape.of(dims);
        return new View(HeapStorage.allocate(dtype, shape.size()), Layout.contiguous(shape));
    }

    private static View undefined(int... dims) {
        View view = view(DType.F32, dims);
        Arrays.fill(view.floats(), Float.NaN);
        return view;
    }

    private static View normal(Random random, DType dtype, int... dims) {
        View view = view(dtype, dims);
        for (int i = 0; i < view.size(); i++) {
            view.set(i, random.nextGaussian() * (dims.length == 1 ? 1 : 0.7));
        }
        return view;
    }

    private static double[][] matrix(View view) {
        double[][] rows = new double[view.dim(0)][view.dim(1)];
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < rows[i].length; j++) {
                rows[i][j] = view.get((long) i * rows[i].length + j);
            }
        }
        return rows;
    }

    private static void close(String what, View actual, double[] expected) {
        double largest = 1;
        for (double x : expected) {
            largest = Math.max(largest, Math.abs(x));
        }
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(actual.get(i) - expected[i]) <= 1e-5 * largest)) {
                fail("%s[%d]: got %s, expected %s".formatted(what, i, actual.get(i), expected[i]));
            }
        }
    }

    private static Call random(Random random) {
        int vocabulary = 1 + random.nextInt(random.nextBoolean() ? 40 : 700);
        int tokens = 1 + random.nextInt(random.nextBoolean() ? 5 : 60);
        long[] budgets = {64, 1000, 40_000, 1 << 20, 32 << 20};
        var options =
                HeadOptions.DEFAULT
                        .ignoreIndex(IGNORED)
                        .memoryBudget(budgets[random.nextInt(budgets.length)]);
        if (random.nextInt(3) == 0) {
            options = options.labelSmoothing(random.nextFloat() * 0.5);
        }
        if (random.nextInt(3) == 0) {
            options = options.zLoss(0.01);
        }
        if (random.nextInt(3) == 0) {
            options = options.softCap(1 + 10 * random.nextFloat());
        }
        if (random.nextInt(2) == 0) {
            options = options.filter(filter(random, vocabulary));
        }
        options = options.compensate(random.nextInt(4) == 0, random.nextInt(4) == 0);
        DType[] stored = {DType.F32, DType.F32, DType.BF16, DType.F16};
        return new Call(
                random,
                options,
                stored[random.nextInt(stored.length)],
                tokens,
                1 + random.nextInt(40),
                vocabulary);
    }

    private static HeadFilter filter(Random random, int vocabulary) {
        HeadFilter filter =
                HeadFilter.below(random.nextBoolean() ? 0.5 / vocabulary : 0.05)
                        .of(random.nextInt(4) > 0, random.nextInt(4) > 0);
        return random.nextBoolean()
                ? filter
                : filter.blocks(1 + random.nextInt(20), 1 + random.nextInt(70))
                        .sorted(random.nextBoolean());
    }

    @Test
    void theOracleDifferentiatesItsOwnLoss() {
        var options = HeadOptions.DEFAULT.labelSmoothing(0.1).zLoss(0.02).softCap(3);
        var call = new Call(new Random(1), options, DType.F32, 4, 5, 7);
        var oracle = call.oracle();
        double[] gradient = oracle.dHidden(oracle.dz(call.weights()));
        for (int i = 0; i < gradient.length; i++) {
            double[][] moved = matrix(call.hidden);
            moved[i / 5][i % 5] += 1e-6;
            double more = moved(oracle, moved, call);
            moved[i / 5][i % 5] -= 2e-6;
            double less = moved(oracle, moved, call);
            assertThat((more - less) / 2e-6).isCloseTo(gradient[i], within(1e-7));
        }
    }

    private static double moved(HeadOracle oracle, double[][] hidden, Call call) {
        return new HeadOracle(oracle.options, hidden, oracle.weight, oracle.targets)
                .loss(call.weights());
    }

    @Test
    void agreesWithItsDefinitionOnRandomProblems() {
        long start = Long.getLong("panagrad.seed", 1);
        for (int i = 0; i < 200; i++) {
            long seed = start + i;
            var random = new Random(seed);
            var call = random(random);
            boolean dHidden = random.nextInt(4) > 0;
            boolean dWeight = random.nextInt(4) > 0;
            call.reduced(dHidden, dWeight);
            check("seed " + seed + " " + call, call, dHidden, dWeight);
        }
    }

    private static void check(String what, Call call, boolean dHidden, boolean dWeight) {
        var oracle = call.oracle();
        double[] nll = new double[call.tokens];
        for (int i = 0; i < nll.length; i++) {
            nll[i] = oracle.live(i) ? oracle.lse[i] - oracle.z[i][oracle.targets[i]] : 0;
        }
        double[] lse = new double[call.tokens];
        for (int i = 0; i < lse.length; i++) {
            lse[i] = oracle.live(i) ? oracle.lse[i] : 0;
        }
        double[][] dz = oracle.dz(call.weights());
        boolean[][] kept = oracle.kept();
        var filter = call.options.filter();
        close(what + " loss", call.results[0], new double[] {oracle.loss(call.weights())});
        close(what + " nll", call.results[1], nll);
        close(what + " dropped", call.results[2], new double[] {oracle.dropped(kept)});
        close(what + " lse", call.results[3], lse);
        if (dHidden) {
            double[][] g = filter.hidden() ? HeadOracle.filter(dz, kept) : dz;
            close(what + " dHidden", call.results[4], oracle.dHidden(g));
        }
        if (dWeight) {
            double[][] g = filter.weight() ? HeadOracle.filter(dz, kept) : dz;
            close(what + " dWeight", call.results[call.results.length - 1], oracle.dWeight(g));
        }
    }

    @Test
    void yieldsALossForEachTokenAndItsDerivative() {
        long start = Long.getLong("panagrad.seed", 1);
        for (int round = 0; round < 100; round++) {
            long seed = start + round;
            var random = new Random(seed);
            var call = random(random);
            String what = "seed " + seed + " " + call;
            boolean entropy = random.nextBoolean();
            var op = new PerTokenHead(call.options.filter(0).zLoss(0), entropy, true);
            int n = call.tokens;
            View nll = undefined(n);
            View lse = undefined(n);
            View entropies = undefined(n);
            View best = view(DType.I32, n);
            new PerTokenHeadKernel()
                    .run(
                            op,
                            new View[] {call.hidden, call.weight, call.targets},
                            entropy
                                    ? new View[] {nll, lse, entropies, best}
                                    : new View[] {nll, lse, best});
            var oracle = call.oracle();
            double[][] d = new double[3][n];
            double[][] expected = new double[3][n];
            for (int i = 0; i < n; i++) {
                boolean live = oracle.live(i);
                expected[0][i] = live ? oracle.crossEntropy(i) : 0;
                expected[1][i] = live ? oracle.lse[i] : 0;
                expected[2][i] = live ? oracle.entropy(i) : 0;
                if (live) {
                    // A soft cap makes large logits equal but for rounding: any of them will do.
                    assertThat(oracle.z[i][(int) best.getLong(i)])
                            .as(what)
                            .isCloseTo(oracle.z[i][oracle.argMax(i)], offset(1e-5));
                } else {
                    assertThat(best.getLong(i)).as(what).isEqualTo(-1);
                }
                for (int k = 0; k < (entropy ? 3 : 2); k++) {
                    d[k][i] = random.nextInt(4) == 0 ? 0 : (float) random.nextGaussian();
                }
            }
            close(what + " nll", nll, expected[0]);
            close(what + " lse", lse, expected[1]);
            View dHidden = undefined(n, call.dim);
            View dWeight = undefined(call.vocabulary, call.dim);
            View[] in = {call.hidden, call.weight, call.targets, lse, floats(d[0]), floats(d[1])};
            if (entropy) {
                close(what + " entropy", entropies, expected[2]);
                in =
                        new View[] {
                            call.hidden,
                            call.weight,
                            call.targets,
                            lse,
                            entropies,
                            floats(d[0]),
                            floats(d[1]),
                            floats(d[2])
                        };
            }
            new PerTokenHeadKernel.Grad()
                    .run(new PerTokenHead.Grad(op, true, true), in, new View[] {dHidden, dWeight});
            double[][] dz = oracle.dz(d[0], d[1], d[2]);
            close(what + " dHidden", dHidden, oracle.dHidden(dz));
            close(what + " dWeight", dWeight, oracle.dWeight(dz));
        }
    }

    private static View floats(double[] values) {
        View view = view(DType.F32, values.length);
        for (int i = 0; i < values.length; i++) {
            view.set(i, values[i]);
        }
        return view;
    }

    @Test
    void theFilterWorksOnPeakedDistributionsEntryByEntry() {
        var options = HeadOptions.DEFAULT.ignoreIndex(IGNORED).filter(0x1p-12);
        for (long budget : new long[] {32 << 20, 8000}) {
            for (DType stored : new DType[] {DType.F32, DType.BF16}) {
                var call =
                        new Call(new Random(2), options.memoryBudget(budget), stored, 70, 33, 1500);
                for (int i = 0; i < call.hidden.size(); i++) {
                    call.hidden.set(i, 4 * call.hidden.get(i));
                }
                call.reduced(true, true);
                check("peaked " + call, call, true, true);
                assertThat(call.results[2].get(0)).isBetween(1e-4, 0.2);
            }
        }
    }

    @Test
    void ignoredTokensAreNotLookedAt() {
        var call = new Call(new Random(3), HeadOptions.DEFAULT, DType.F32, 30, 12, 90);
        for (int i = 0; i < 30; i++) {
            call.targets.setLong(i, i % 3 == 1 ? 5 : IGNORED);
            for (int d = 0; d < 12; d++) {
                call.hidden.set(i * 12L + d, i % 3 == 1 ? 0.1 * d : Double.NaN);
            }
        }
        call.reduced(true, true);
        for (View result : call.results) {
            for (int i = 0; i < result.size(); i++) {
                assertThat(result.get(i)).isFinite();
            }
        }
        assertThat(call.results[4].get(0)).isZero();
        assertThat(call.results[4].get(12)).isNotZero();
    }

    @Test
    void withAllTokensIgnoredEverythingIsZero() {
        var call = new Call(new Random(4), HeadOptions.DEFAULT, DType.F32, 3, 4, 9);
        for (int i = 0; i < 3; i++) {
            call.targets.setLong(i, IGNORED);
        }
        for (View result : call.reduced(true, true).results) {
            for (int i = 0; i < result.size(); i++) {
                assertThat(result.get(i)).isZero();
            }
        }
    }

    @Test
    void saysWhichTargetIsNotInTheVocabulary() {
        var call = new Call(new Random(5), HeadOptions.DEFAULT, DType.F32, 3, 4, 9);
        call.targets.setLong(2, 9);
        assertThatThrownBy(() -> call.reduced(false, false))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        "linearCrossEntropy: target of token 2 is not in the vocabulary; got 9;"
                                + " expected 0 to 8, or -100 to ignore it");
    }

    @Test
    void hasTheSameBitsForAnyNumberOfThreads() {
        int before = Parallel.threads();
        try {
            for (HeadFilter filter :
                    List.of(
                            HeadFilter.NONE,
                            HeadFilter.below(1e-3),
                            HeadFilter.below(1e-2).blocks(16, 32).sorted(true))) {
                for (long budget : new long[] {4 << 20, 100_000}) {
                    View[] first = null;
                    for (int threads : new int[] {1, 2, 5}) {
                        Parallel.setThreads(threads);
                        var options =
                                HeadOptions.DEFAULT
                                        .filter(filter)
                                        .compensate(filter.isOn(), filter.isOn())
                                        .memoryBudget(budget);
                        var call = new Call(new Random(6), options, DType.F32, 90, 40, 2000);
                        View[] now = call.reduced(true, true).results;
                        first = first == null ? now : first;
                        for (int r = 0; r < now.length; r++) {
                            for (int i = 0; i < now[r].size(); i++) {
                                assertThat(now[r].get(i)).isEqualTo(first[r].get(i));
                            }
                        }
                    }
                }
            }
        } finally {
            Parallel.setThreads(before);
        }
    }

    @Test
    void needsLittleMemoryForAVocabularyOf128256() {
        int tokens = 4096;
        int dim = 288;
        int vocabulary = 128_256;
        float[] shared = new float[vocabulary * dim];
        for (int i = 0; i < shared.length; i++) {
            shared[i] = ((i * 0x9E3779B9) >> 20) * 0x1p-14f;
        }
        View weight =
                new View(HeapStorage.of(shared), Layout.contiguous(Shape.of(vocabulary, dim)));
        View hidden = new View(HeapStorage.of(shared), Layout.contiguous(Shape.of(tokens, dim)));
        int[] ids = new int[tokens];
        float[] one = new float[tokens];
        Arrays.fill(one, 1f / tokens);
        for (int i = 0; i < tokens; i++) {
            ids[i] = (int) (i * 7919L % vocabulary);
        }
        View targets = new View(HeapStorage.of(ids), Layout.contiguous(Shape.of(tokens)));
        View weights = new View(HeapStorage.of(one), Layout.contiguous(Shape.of(tokens)));
        View[] out = {
            undefined(),
            undefined(tokens),
            undefined(),
            undefined(tokens),
            undefined(tokens, dim),
            undefined(vocabulary, dim)
        };
        Pool.floats().trim();
        long before = Pool.floats().freshBytes();
        new LinearCrossEntropyKernel()
                .run(
                        new LinearCrossEntropy(HeadOptions.DEFAULT, true, true),
                        new View[] {hidden, weight, targets, weights},
                        out);
        assertThat(Pool.floats().freshBytes() - before).isLessThan(64_000_000);
        assertThat(out[0].get(0)).isBetween(Math.log(vocabulary) - 1, Math.log(vocabulary) + 2);
        Pool.floats().trim();
    }
}
