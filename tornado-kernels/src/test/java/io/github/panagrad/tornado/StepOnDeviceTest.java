package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.op.AdamWStep;
import io.github.panagrad.engine.op.Dropout;
import io.github.panagrad.engine.op.Gather;
import io.github.panagrad.engine.op.Triangle;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.tape.Tape;
import org.junit.jupiter.api.Test;

/// A step of training in small: nothing of forward, backward and update runs on the host.
class StepOnDeviceTest {
    private static final int TOKENS = 24;
    private static final int ROWS = 50;
    private static final int WIDTH = 12;

    @Test
    void forwardBackwardAndUpdateStayOnTheDevice() {
        Backends.clearLog();
        Tensor there = updated(OnDevice.DEVICE);
        OnDevice.noneByTheHost();
        assertThat(Backends.explain()).contains("IndexAddTo", "Where", "Unslice", "AdamWStep");
        OnDevice.close(there.toDoubles(), updated(Device.CPU).toDoubles(), 2e-6);
    }

    /// Returns the rows of an embedding after one step.
    private static Tensor updated(Device device) {
        Tensor weight = Ops.randn(Rng.of(1), ROWS, WIDTH).to(device).copy().requireGrad();
        Tensor first = Ops.embedding(weight, ids(7).to(device));
        Tensor second = Ops.embedding(weight, ids(11).to(device));
        Tensor both = Ops.concat(1, first, second.mul(first));
        Tensor dropped = Tape.one(new Dropout(0.2, new Rng.Draw(3, 4)), both);
        Tensor scalar = Ops.tensor(new float[] {0.5f}).to(device);
        Tensor chosen = Ops.where(dropped.gt(scalar), dropped, scalar);
        Tensor half = chosen.narrow(1, 3, TOKENS - 6).sub(chosen.slice(1, 0, TOKENS - 6, 1));
        Tensor lower = Tape.one(new Triangle(true, 2), half.add(chosen.narrow(1, 6, TOKENS - 6)));
        Tensor picked = Tape.one(new Gather(1), lower, ids(5).reshape(TOKENS, 1).to(device));
        Grads grads = picked.backward(Ops.randn(Rng.of(2), TOKENS, 1).to(device));
        Tensor moments = Ops.zeros(ROWS, WIDTH).to(device);
        Tensor squares = Ops.ones(ROWS, WIDTH).to(device).copy();
        Tape.into(
                new AdamWStep(0.1, 0.9, 0.999, 1e-8, 0.01, 1, 1),
                new Tensor[] {weight.detach(), grads.get(weight), moments, squares},
                weight.detach(),
                moments,
                squares);
        return weight.detach();
    }

    /// Returns numbers of which some are equal.
    private static Tensor ids(int factor) {
        int[] ids = new int[TOKENS];
        for (int i = 0; i < TOKENS; i++) {
            ids[i] = i * factor % 18;
        }
        return Ops.indices(ids, TOKENS);
    }
}
