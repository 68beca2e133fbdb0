package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.optim.AdamW;
import java.util.ArrayList;
import java.util.List;

/// Our AdamW step.
final class OwnUpdate implements Side {
    private final List<Parameter> parameters = new ArrayList<>();
    private final AdamW optimizer;
    private final Grads grads;

    OwnUpdate(Problem.Update p) {
        var terms = new ArrayList<Tensor>();
        for (Llama.Weight weight : p.model().weights()) {
            var parameter = Ops.parameter(weight.name(), Ops.tensor(weight.draw(), weight.shape()));
            parameters.add(parameter);
            float[] grad = Inputs.normal("d " + weight.name(), weight.size());
            terms.add(parameter.mul(Ops.tensor(grad, weight.shape())).sum());
        }
        Tensor sum = terms.getFirst();
        for (Tensor term : terms.subList(1, terms.size())) {
            sum = sum.add(term);
        }
        grads = sum.backward();
        optimizer = AdamW.of(parameters).lr(Problem.Update.LR);
    }

    @Override
    public void run() {
        Ops.scope(() -> optimizer.step(grads));
    }

    @Override
    public List<float[]> results() {
        run();
        return parameters.stream().map(Tensor::toFloats).toList();
    }
}
