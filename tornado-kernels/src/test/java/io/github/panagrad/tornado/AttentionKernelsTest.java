package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.op.Attention;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.tape.Tape;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Attention over several tiles of queries, keys and elements, masked in every way, against the CPU.
class AttentionKernelsTest {
    private static final Device DEVICE = new Device(TornadoBackend.NAME, 0);

    /// Relative to the largest value.
    private static final double TOLERANCE = 6e-6;

    private static final double SCALE = 0.2;

    @BeforeEach
    void clearLog() {
        Backends.clearLog();
    }

    @ParameterizedTest
    @CsvSource({
        // T, S, H, G, D, causal, window
        "64, 64, 2, 2, 64, true, 0",
        "65, 65, 4, 2, 17, true, 0",
        "130, 130, 2, 1, 33, false, 0",
        "70, 150, 3, 1, 80, true, 0",
        "100, 40, 2, 2, 24, false, 0",
        "33, 64, 1, 1, 200, true, 0",
        "200, 200, 2, 1, 16, true, 30",
        "150, 150, 2, 2, 16, false, 70",
        "1, 300, 6, 2, 64, true, 0",
        "3, 600, 2, 2, 96, true, 0",
        "4, 290, 2, 1, 200, true, 100",
        "2, 70, 2, 1, 16, false, 0"
    })
    void attends(int t, int s, int h, int g, int d, boolean causal, int window) {
        check(
                new Attention(1 / Math.sqrt(d), causal, window, false, false),
                2,
                t,
                s,
                h,
                g,
                d,
                null,
                null);
    }

    @Test
    void hidesPaddingAndRowsWithoutKeys() {
        var op = new Attention(SCALE, true, 0, true, false);
        check(op, 2, 100, 100, 2, 1, 20, padding(2, 100), null);
        check(op, 2, 3, 300, 2, 1, 20, padding(2, 300), null);
        check(op, 2, 70, 90, 2, 1, 20, padding(2, 90), null);
    }

    @Test
    void separatesSegments() {
        var op = new Attention(SCALE, true, 0, false, true);
        check(op, 2, 300, 300, 2, 1, 20, null, segments(2, 300, 45));
        check(op, 1, 130, 130, 2, 1, 20, null, segments(1, 130, 64));
        check(
                new Attention(SCALE, false, 0, true, true),
                2,
                150,
                150,
                2,
                2,
                70,
                padding(2, 150),
                segments(2, 150, 40));
    }

    @Test
    void readsHeadsWhereTheyLie() {
        Tensor q = random(2, 3, 66, 20).permute(0, 2, 1, 3);
        Tensor kv = random(2, 70, 2, 3, 20);
        Tensor k = kv.select(2, 0);
        Tensor v = kv.select(2, 1);
        var op = new Attention(SCALE, true, 0, false, false);
        List<Tensor> here = gradients(op, List.of(q, k, v));
        Tensor qThere = random(2, 3, 66, 20).to(DEVICE).permute(0, 2, 1, 3);
        Tensor kvThere = kv.to(DEVICE);
        List<Tensor> there =
                gradients(op, List.of(qThere, kvThere.select(2, 0), kvThere.select(2, 1)));
        compare(there, here);
    }

    private static void check(
            Attention op,
            int b,
            int t,
            int s,
            int h,
            int g,
            int d,
            @Nullable Tensor keyMask,
            @Nullable Tensor segments) {
        var in = new ArrayList<Tensor>();
        Rng rng = Rng.of(5);
        in.add(Ops.randn(rng, b, t, h, d));
        in.add(Ops.randn(rng, b, s, g, d));
        in.add(Ops.randn(rng, b, s, g, d));
        if (keyMask != null) {
            in.add(keyMask);
        }
        if (segments != null) {
            in.add(segments);
        }
        compare(gradients(op, in.stream().map(x -> x.to(DEVICE)).toList()), gradients(op, in));
        assertThat(Backends.explain().lines())
                .filteredOn(line -> line.startsWith(TornadoBackend.NAME))
                .filteredOn(line -> line.contains("Attention"))
                .hasSize(2)
                .allMatch(line -> line.contains("Kernel"), "runs by a kernel of the device's");
    }

    private static Tensor random(int... dims) {
        return Ops.randn(Rng.of(5), dims);
    }

    /// Hides the first keys, some in the middle and, of the second sequence, the last ones.
    private static Tensor padding(int b, int s) {
        int[] seen = new int[b * s];
        for (int i = 0; i < b; i++) {
            for (int j = 0; j < s; j++) {
                boolean hidden = j < 5 || j == 20 || (i == 1 && j > s - 30);
                seen[i * s + j] = hidden ? 0 : 1;
            }
        }
        return Ops.indices(seen, b, s).to(DType.BOOL);
    }

    private static Tensor segments(int b, int s, int length) {
        int[] ids = new int[b * s];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = i % s / length;
        }
        return Ops.indices(ids, b, s);
    }

    /// Returns the output, the log-sum-exp and the gradients of the output's sum of squares.
    private static List<Tensor> gradients(Attention op, List<Tensor> in) {
        Tensor[] all = in.toArray(Tensor[]::new);
        for (int i = 0; i < 3; i++) {
            all[i] = all[i].requireGrad();
        }
        Tensor[] out = Tape.apply(op, all);
        Grads grads = out[0].square().sum().backward();
        return List.of(out[0], out[1], grads.get(all[0]), grads.get(all[1]), grads.get(all[2]));
    }

    private static void compare(List<Tensor> actual, List<Tensor> expected) {
        for (int r = 0; r < actual.size(); r++) {
            assertThat(actual.get(r).shape()).isEqualTo(expected.get(r).shape());
            double[] a = actual.get(r).toDoubles();
            double[] e = expected.get(r).toDoubles();
            double scale = 1;
            for (double value : e) {
                if (Double.isFinite(value)) {
                    scale = Math.max(scale, Math.abs(value));
                }
            }
            for (int i = 0; i < a.length; i++) {
                if (Double.isFinite(e[i])) {
                    assertThat(a[i])
                            .as("element %d of result %d", i, r)
                            .isCloseTo(e[i], within(TOLERANCE * scale));
                } else {
                    assertThat(a[i]).isLessThan(-1e29);
                }
            }
        }
    }
}
