package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.op.AdamWStep;
import io.github.panagrad.engine.op.MaskedAdamWStep;
import io.github.panagrad.engine.op.MaskedSgdStep;
import io.github.panagrad.engine.op.SgdStep;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Tape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The optimizers' steps in place, many of them, on state that stays on the device.
class UpdateKernelsTest {
    private static final double TOLERANCE = 2e-6;
    private static final int N = 1000;
    private static final int LIVE = 300;

    private static Tensor random(int n) {
        return Ops.rand(Rng.of(n), n).detach();
    }

    private static int[] everyThird() {
        int[] entries = new int[LIVE];
        Arrays.setAll(entries, k -> 3 * k + 1);
        return entries;
    }

    /// Numbers of steps from the first, where 1 − β is all there is, to late ones.
    private static int[] steps() {
        int[] steps = new int[LIVE];
        Arrays.setAll(steps, k -> k * k);
        return steps;
    }

    private static AdamWStep adamW(int step) {
        return new AdamWStep(1e-2, 0.9, 0.999, 1e-8, 0.1, step, 0.5);
    }

    @Test
    void adamW() {
        List<Op> ops = new ArrayList<>();
        for (int step = 1; step <= 5; step++) {
            ops.add(adamW(step));
        }
        Tensor[] in = {random(N), random(N), random(N), random(N)};
        agree(ops, in, 0, 2, 3);
    }

    @Test
    void maskedAdamW() {
        Tensor[] in = {
            random(N),
            random(N),
            random(LIVE),
            random(LIVE),
            Ops.indices(steps(), LIVE),
            Ops.indices(everyThird(), LIVE)
        };
        agree(
                List.of(new MaskedAdamWStep(adamW(1)), new MaskedAdamWStep(adamW(1))),
                in,
                0,
                2,
                3,
                4);
        OnDevice.agrees(TOLERANCE, new MaskedAdamWStep(adamW(1)), in);
    }

    @Test
    void sgd() {
        var op = new SgdStep(0.1, 0.9, 0.01, 0.5);
        agree(List.of(op, op, op), new Tensor[] {random(N), random(N), random(N)}, 0, 2);
    }

    @Test
    void maskedSgd() {
        var op = new MaskedSgdStep(new SgdStep(0.1, 0.9, 0.01, 0.5));
        Tensor[] in = {
            random(N),
            random(N),
            random(LIVE),
            Ops.indices(steps(), LIVE),
            Ops.indices(everyThird(), LIVE)
        };
        agree(List.of(op, op, op), in, 0, 2, 3);
        OnDevice.agrees(TOLERANCE, op, in);
    }

    @Test
    void entriesOutOfRangeAreAnError() {
        Tensor w = random(N).to(OnDevice.DEVICE);
        Tensor buffer = Ops.zeros(1).to(OnDevice.DEVICE);
        Tensor steps = Ops.indices(new int[1], 1).to(OnDevice.DEVICE);
        Tensor entries = Ops.indices(new int[] {N}, 1).to(OnDevice.DEVICE);
        var op = new MaskedSgdStep(new SgdStep(0.1, 0.9, 0.01, 0.5));
        Tape.into(op, new Tensor[] {w, w.copy(), buffer, steps, entries}, w, buffer, steps);
        assertThatThrownBy(w::toDoubles)
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("index out of range; got 1000; expected 0 to 999");
    }

    /// Runs steps in place on both devices; `updated` says which operands are the results.
    private static void agree(List<Op> ops, Tensor[] in, int... updated) {
        Tensor[] here = Arrays.stream(in).map(Tensor::copy).toArray(Tensor[]::new);
        Tensor[] there = Arrays.stream(in).map(x -> x.to(OnDevice.DEVICE)).toArray(Tensor[]::new);
        Backends.clearLog();
        for (Op op : ops) {
            Tape.into(op, there, at(there, updated));
        }
        OnDevice.noneByTheHost();
        for (Op op : ops) {
            Tape.into(op, here, at(here, updated));
        }
        for (int i : updated) {
            OnDevice.close(there[i].toDoubles(), here[i].toDoubles(), TOLERANCE);
        }
    }

    private static Tensor[] at(Tensor[] all, int[] which) {
        return Arrays.stream(which).mapToObj(i -> all[i]).toArray(Tensor[]::new);
    }
}
