package io.github.panagrad.bench.peers;

import io.github.panagrad.adapters.Lora;
import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Our training step.
final class OwnStep implements Side {
    private final CausalLM model;
    private final AdamW optimizer;
    private final Batch batch;

    OwnStep(Problem.Step p) {
        model = OwnModel.create(p.model());
        if (p.rank() > 0) {
            Lora.rank(p.rank())
                    .alpha(p.rank() * Problem.Step.LORA_SCALE)
                    .attach(model, "model.layers.**_proj");
            OwnModel.fill(model, p.model().detours(p.rank()));
        }
        optimizer = AdamW.of(model.trainable()).lr(Problem.Step.LR);
        model.training(true);
        int[] ids = p.ids();
        var rows = new ArrayList<Example>();
        for (int row = 0; row < p.batch(); row++) {
            rows.add(Example.of(Arrays.copyOfRange(ids, row * p.tokens(), (row + 1) * p.tokens())));
        }
        batch = Batches.of(rows).size(p.batch()).ordered().iterator().next();
    }

    @Override
    public void run() {
        step();
    }

    /// Takes a step and returns loss and gradient norm.
    private float[] step() {
        return Ops.scope(() -> {
            Tensor loss = model.loss(batch);
            Grads grads = loss.backward();
            double norm = grads.norm();
            optimizer.step(grads, Math.min(1, Problem.Step.MAX_NORM / (norm + 1e-6)));
            return new float[] {(float) loss.item(), (float) norm};
        });
    }

    @Override
    public List<float[]> results() {
        return List.of(step(), step(), step());
    }
}
