package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.ground.ShapeException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttentionTest {
    /// All operands of one call, dense, with room for strides to go wrong in.
    private static final class Call {
        final AttentionProblem p;
        final boolean headsFirst;
        final float[] q;
        final float[] k;
        final float[] v;
        final float[] dout;
        final float[] out;
        final float[] lse;
        final float[] dq;
        final float[] dk;
        final float[] dv;

        Call(AttentionProblem p, boolean headsFirst, Random random) {
            this.p = p;
            this.headsFirst = headsFirst;
            int queries = p.batch() * p.queries() * p.heads() * p.dim();
            int keys = p.batch() * p.keys() * p.kvHeads() * p.dim();
            q = normal(random, queries);
            k = normal(random, keys);
            v = normal(random, keys);
            dout = normal(random, queries);
            out = nan(queries);
            lse = nan(p.batch() * p.heads() * p.queries());
            dq = nan(queries);
            dk = nan(keys);
            dv = nan(keys);
        }

        HeadView query(float[] data) {
            return headsFirst
                    ? HeadView.bhtd(data, 0, p.queries(), p.heads(), p.dim())
                    : HeadView.bthd(data, 0, p.queries(), p.heads(), p.dim());
        }

        HeadView key(float[] data) {
            return headsFirst
                    ? HeadView.bhtd(data, 0, p.keys(), p.kvHeads(), p.dim())
                    : HeadView.bthd(data, 0, p.keys(), p.kvHeads(), p.dim());
        }

        Call forward() {
            AttentionForward.run(p, query(q), key(k), key(v), query(out), lse, 0);
            return this;
        }

        Call backward() {
            AttentionBackward.run(
                    p,
                    query(q),
                    key(k),
                    key(v),
                    query(out),
                    lse,
                    0,
                    query(dout),
                    query(dq),
                    key(dk),
                    key(dv));
            return this;
        }

        AttentionOracle oracle() {
            return new AttentionOracle(
                    p,
                    timeFirst(q, p.queries(), p.heads()),
                    timeFirst(k, p.keys(), p.kvHeads()),
                    timeFirst(v, p.keys(), p.kvHeads()),
                    timeFirst(dout, p.queries(), p.heads()));
        }

        float[] timeFirst(float[] data, int time, int heads) {
            if (!headsFirst) {
                return data;
            }
            float[] moved = new float[data.length];
            for (int b = 0; b < p.batch(); b++) {
                for (int t = 0; t < time; t++) {
                    for (int h = 0; h < heads; h++) {
                        System.arraycopy(
                                data,
                                ((b * heads + h) * time + t) * p.dim(),
                                moved,
                                ((b * time + t) * heads + h) * p.dim(),
                                p.dim());
                    }
                }
            }
            return moved;
        }

        void check(String what) {
            var expected = oracle();
            close(what + " out", timeFirst(out, p.queries(), p.heads()), expected.out);
            close(what + " lse", lse, expected.lse);
            close(what + " dq", timeFirst(dq, p.queries(), p.heads()), expected.dq);
            close(what + " dk", timeFirst(dk, p.keys(), p.kvHeads()), expected.dk);
            close(what + " dv", timeFirst(dv, p.keys(), p.kvHeads()), expected.dv);
        }
    }

    private static float[] nan(int n) {
        float[] a = new float[n];
        Arrays.fill(a, Float.NaN);
        return a;
    }

    private static float[] normal(Random random, int n) {
        float[] a = new float[n];
        for (int i = 0; i < n; i++) {
            a[i] = (float) random.nextGaussian();
        }
        return a;
    }

    private static void close(String what, float[] actual, double[] expected) {
        double largest = 0;
        for (double x : expected) {
            largest = Math.max(largest, Double.isInfinite(x) ? 0 : Math.abs(x));
        }
        for (int i = 0; i < expected.length; i++) {
            boolean fits =
                    Double.isInfinite(expected[i])
                            ? actual[i] == expected[i]
                            : Math.abs(actual[i] - expected[i]) <= 4e-6 * (largest + 1);
            if (!fits) {
                fail("%s[%d]: got %s, expected %s".formatted(what, i, actual[i], expected[i]));
            }
        }
    }

    private static AttentionProblem random(Random random) {
        int batch = 1 + random.nextInt(3);
        int keys = 1 + random.nextInt(random.nextInt(4) == 0 ? 300 : 70);
        int queries = random.nextBoolean() ? keys : 1 + random.nextInt(keys);
        int kvHeads = 1 + random.nextInt(3);
        int heads = kvHeads * (1 + random.nextInt(3));
        int[] dims = {8, 16, 32, 48, 64, 128, 1 + random.nextInt(80)};
        int dim = dims[random.nextInt(dims.length)];
        byte[] mask = null;
        if (random.nextInt(3) == 0) {
            mask = new byte[batch * keys + 3];
            boolean holes = random.nextBoolean();
            for (int b = 0; b < batch; b++) {
                int start = random.nextInt(keys);
                int end = random.nextInt(keys + 1);
                for (int j = 0; j < keys; j++) {
                    boolean open = holes ? random.nextBoolean() : j >= start && j < end;
                    mask[3 + b * keys + j] = (byte) (open ? 1 : 0);
                }
            }
        }
        int[] segments = null;
        if (random.nextInt(3) == 0) {
            segments = new int[batch * keys + 2];
            boolean scattered = random.nextInt(3) == 0;
            int id = 0;
            for (int j = 0; j < batch * keys; j++) {
                id = random.nextInt(9) == 0 ? (scattered ? random.nextInt(4) : id + 1) : id;
                segments[2 + j] = id;
            }
        }
        return new AttentionProblem(
                batch,
                queries,
                keys,
                heads,
                kvHeads,
                dim,
                (float) ((0.3 + random.nextFloat()) / Math.sqrt(dim)),
                random.nextInt(4) > 0,
                random.nextInt(3) == 0 ? 1 + random.nextInt(40) : 0,
                mask,
                3,
                segments,
                2);
    }

    @Test
    void agreesWithItsDefinitionOnRandomProblems() {
        long start = Long.getLong("panagrad.seed", 1);
        for (int i = 0; i < 150; i++) {
            long seed = start + i;
            var random = new Random(seed);
            var p = random(random);
            new Call(p, random.nextBoolean(), random)
                    .forward()
                    .backward()
                    .check("seed " + seed + " " + p);
        }
    }

    @ParameterizedTest
    @CsvSource({"257, 64, 6, 2", "600, 48, 2, 1", "130, 128, 1, 1", "97, 8, 8, 4"})
    void agreesWithItsDefinitionOnModelShapes(int tokens, int dim, int heads, int kvHeads) {
        var p = AttentionProblem.of(1, tokens, tokens, heads, kvHeads, dim, true);
        new Call(p, false, new Random(7)).forward().backward().check(p.toString());
    }

    /// Every mask at once, with heads that fill no vector, lengths on both sides of a tile's, and
    /// keys and values that several query heads share.
    @ParameterizedTest
    @CsvSource({
        "47, 20, 4, 2",
        "48, 48, 6, 2",
        "49, 80, 2, 1",
        "95, 64, 4, 1",
        "97, 112, 3, 3",
        "145, 20, 6, 1",
        "191, 64, 2, 2",
        "193, 96, 4, 2"
    })
    void agreesWithItsDefinitionUnderAllMasksTogether(int tokens, int dim, int heads, int kvHeads) {
        var random = new Random(31L * tokens + dim);
        byte[] padding = new byte[2 * tokens];
        Arrays.fill(padding, (byte) 1);
        Arrays.fill(padding, 0, 5, (byte) 0);
        Arrays.fill(padding, 2 * tokens - 9, 2 * tokens, (byte) 0);
        int[] segments = new int[2 * tokens];
        for (int j = 0; j < segments.length; j++) {
            segments[j] = j % tokens / 37;
        }
        for (int window : new int[] {0, 2, 29, 60}) {
            for (boolean causal : new boolean[] {true, false}) {
                var p =
                        new AttentionProblem(
                                2, tokens, tokens, heads, kvHeads, dim, 0.2f, causal, window,
                                padding, 0, segments, 0);
                new Call(p, causal, random).forward().backward().check(p.toString());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"5, 333, 0", "50, 333, 0", "50, 333, 40", "7, 1000, 100"})
    void readsOnlyTheKeysThatTheQueriesSee(int queries, int keys, int window) {
        var p =
                new AttentionProblem(
                        1, queries, keys, 2, 1, 64, 0.1f, true, window, null, 0, null, 0);
        var call = new Call(p, false, new Random(10));
        call.forward().backward().check(p.toString());
        float[] out = call.out.clone();
        int unseen = window == 0 ? 0 : Math.max(0, keys - queries - window + 1);
        Arrays.fill(call.k, 0, unseen * 64, Float.NaN);
        Arrays.fill(call.v, 0, unseen * 64, Float.NaN);
        assertThat(call.forward().out).containsExactly(out);
    }

    @ParameterizedTest
    @CsvSource({"1", "2", "4", "5", "17"})
    void continuesASequenceFromACache(int queries) {
        var random = new Random(queries);
        int keys = 211;
        var whole = new Call(AttentionProblem.of(2, keys, keys, 6, 3, 48, true), false, random);
        whole.forward();
        var rest = new Call(AttentionProblem.of(2, queries, keys, 6, 3, 48, true), false, random);
        int row = 6 * 48;
        for (int b = 0; b < 2; b++) {
            System.arraycopy(
                    whole.q,
                    (b * keys + keys - queries) * row,
                    rest.q,
                    b * queries * row,
                    queries * row);
        }
        AttentionForward.run(
                rest.p,
                rest.query(rest.q),
                whole.key(whole.k),
                whole.key(whole.v),
                rest.query(rest.out),
                null,
                0);
        for (int b = 0; b < 2; b++) {
            for (int i = 0; i < queries * row; i++) {
                float expected = whole.out[(b * keys + keys - queries) * row + i];
                assertThat(rest.out[b * queries * row + i])
                        .isCloseTo(expected, org.assertj.core.data.Offset.offset(1e-5f));
            }
        }
    }

    @Test
    void givesZerosToQueriesThatSeeNoKey() {
        byte[] mask = new byte[20];
        mask[7] = 1;
        var p = new AttentionProblem(1, 20, 20, 2, 1, 24, 0.2f, true, 0, mask, 0, null, 0);
        var call = new Call(p, false, new Random(1)).forward().backward();
        assertThat(Arrays.copyOf(call.out, 7 * 48)).containsOnly(0f);
        assertThat(Arrays.copyOf(call.dq, 7 * 48)).containsOnly(0f);
        assertThat(call.lse[6]).isEqualTo(Float.NEGATIVE_INFINITY);
        assertThat(Arrays.copyOf(call.dk, 7 * 24)).containsOnly(0f);
        call.check("one visible key");

        var blind =
                new AttentionProblem(1, 20, 20, 2, 1, 24, 0.2f, false, 0, new byte[20], 0, null, 0);
        var none = new Call(blind, true, new Random(2)).forward().backward();
        for (float[] zeros : new float[][] {none.out, none.dq, none.dk, none.dv}) {
            assertThat(zeros).containsOnly(0f);
        }
    }

    @Test
    void aWindowOfOneReturnsTheValues() {
        var p = new AttentionProblem(2, 70, 70, 1, 1, 16, 1, true, 1, null, 0, null, 0);
        var call = new Call(p, false, new Random(3)).forward().backward();
        assertThat(call.out).containsExactly(call.v);
        assertThat(call.dv).containsExactly(call.dout);
    }

    @Test
    void packedSequencesDoNotSeeEachOther() {
        var random = new Random(4);
        int[] segments = new int[100];
        Arrays.fill(segments, 37, 100, 5);
        var packed =
                new Call(
                        new AttentionProblem(
                                1, 100, 100, 2, 2, 32, 0.3f, true, 0, null, 0, segments, 0),
                        false,
                        random);
        packed.forward();
        var alone =
                new Call(
                        new AttentionProblem(1, 63, 63, 2, 2, 32, 0.3f, true, 0, null, 0, null, 0),
                        false,
                        random);
        int row = 64;
        AttentionForward.run(
                alone.p,
                alone.query(Arrays.copyOfRange(packed.q, 37 * row, 100 * row)),
                alone.key(Arrays.copyOfRange(packed.k, 37 * row, 100 * row)),
                alone.key(Arrays.copyOfRange(packed.v, 37 * row, 100 * row)),
                alone.query(alone.out),
                null,
                0);
        for (int i = 0; i < 63 * row; i++) {
            assertThat(packed.out[37 * row + i])
                    .isCloseTo(alone.out[i], org.assertj.core.data.Offset.offset(2e-6f));
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1, 48", "2, 6, 2, 64", "3, 4, 4, 20", "1, 3, 3, 128"})
    void hasTheSameBitsForAnyNumberOfThreads(int batch, int heads, int kvHeads, int dim) {
        int before = Parallel.threads();
        try {
            Call first = null;
            for (int threads : new int[] {1, 2, 5}) {
                Parallel.setThreads(threads);
                var p = AttentionProblem.of(batch, 150, 150, heads, kvHeads, dim, true);
                var call = new Call(p, false, new Random(5)).forward().backward();
                if (first == null) {
                    first = call;
                }
                assertThat(call.out).containsExactly(first.out);
                assertThat(call.lse).containsExactly(first.lse);
                assertThat(call.dq).containsExactly(first.dq);
                assertThat(call.dk).containsExactly(first.dk);
                assertThat(call.dv).containsExactly(first.dv);
            }
        } finally {
            Parallel.setThreads(before);
        }
    }

    @Test
    void leavesOutGradientsThatNobodyWants() {
        var p = AttentionProblem.of(1, 60, 60, 4, 2, 32, true);
        var call = new Call(p, false, new Random(6)).forward();
        AttentionBackward.run(
                p,
                call.query(call.q),
                call.key(call.k),
                call.key(call.v),
                call.query(call.out),
                call.lse,
                0,
                call.query(call.dout),
                null,
                null,
                call.key(call.dv));
        assertThat(call.dq).containsOnly(Float.NaN);
        assertThat(call.dk).containsOnly(Float.NaN);
        close("dv", call.dv, call.oracle().dv);
    }

    @Test
    void needsMemoryLinearInTheNumberOfTokens() {
        int before = Parallel.threads();
        try {
            Parallel.setThreads(1);
            long small = fresh(1024);
            long large = fresh(4096);
            // Four times the tokens may take four times the memory, and classes of the pool waste
            // an eighth.
            assertThat(large).isLessThan(small * 9 / 2);
            assertThat(large).isLessThan(4L * 4096 * 4096 / 4);
        } finally {
            Parallel.setThreads(before);
            Pool.floats().trim();
        }
    }

    /// Bytes that the pool allocates for one forward and backward pass.
    private static long fresh(int tokens) {
        var p = AttentionProblem.of(1, tokens, tokens, 1, 1, 32, true);
        var call = new Call(p, false, new Random(8));
        Pool.floats().trim();
        long before = Pool.floats().freshBytes();
        call.forward().backward();
        return Pool.floats().freshBytes() - before;
    }

    @Test
    void passesOnWhatIsNotANumber() {
        var p = AttentionProblem.of(1, 50, 50, 1, 1, 16, true);
        var call = new Call(p, false, new Random(9));
        call.q[30 * 16] = Float.NaN;
        call.forward();
        assertThat(call.out[30 * 16]).isNaN();
        assertThat(call.out[29 * 16]).isFinite();
    }

    @Test
    void saysWhatDoesNotFit() {
        assertThatThrownBy(() -> AttentionProblem.of(1, 4, 4, 6, 4, 8, true))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("6 query heads, 4 key/value heads");
        assertThatThrownBy(() -> AttentionProblem.of(1, 5, 4, 4, 4, 8, true))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("4 keys, 5 queries");
        assertThatThrownBy(() ->
                        new AttentionProblem(2, 4, 4, 1, 1, 8, 1, true, 0, new byte[7], 0, null, 0))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("keyMask is too short; got 7 entries");
    }
}
