package io.github.panagrad.bench.natives;

import io.github.panagrad.bench.peers.Inputs;
import io.github.panagrad.bench.peers.Llama;
import io.github.panagrad.bench.peers.Problem;
import io.github.panagrad.bench.peers.Side;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/// libtorch's AdamW step.
final class TorchUpdate implements Side {
    private final List<Tensor> parameters = new ArrayList<>();
    private final TorchAdamW optimizer;
    private final IValue grads;

    TorchUpdate(Problem.Update p) {
        var given = new TensorVector();
        for (Llama.Weight weight : p.model().weights()) {
            long[] shape = Problem.wide(weight.shape());
            parameters.add(Torch.tensor(weight.draw(), shape));
            given.push_back(
                    Torch.tensor(Inputs.normal("d " + weight.name(), weight.size()), shape));
        }
        grads = TorchAdamW.list(given);
        optimizer = new TorchAdamW(parameters, Problem.Update.LR);
    }

    @Override
    public void run() {
        try (var _ = new PointerScope()) {
            optimizer.step(grads);
        }
    }

    @Override
    public List<float[]> results() {
        run();
        return parameters.stream().map(Torch::floats).toList();
    }
}
