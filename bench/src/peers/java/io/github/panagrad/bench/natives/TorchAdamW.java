package io.github.panagrad.bench.natives;

import java.util.List;
import org.bytedeco.pytorch.CompilationUnit;
import org.bytedeco.pytorch.Function;
import org.bytedeco.pytorch.FunctionVector;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorType;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;

/// AdamW by libtorch's fused multi-tensor kernel, which its C++ optimizer does not use but its
/// Python one does with `fused=True`; clipping by its multi-tensor functions.
final class TorchAdamW {
    private static final String SCRIPT =
            """
            def clip(grads: List[Tensor], limit: float) -> Tensor:
                norm = torch.linalg_vector_norm(torch.stack(torch._foreach_norm(grads, 2)))
                torch._foreach_mul_(grads, torch.clamp_max(limit / (norm + 1e-6), 1.0))
                return norm

            def update(params: List[Tensor], grads: List[Tensor], m: List[Tensor],
                       v: List[Tensor], steps: List[Tensor], lr: float) -> int:
                torch._foreach_add_(steps, 1)
                torch._fused_adamw_(params, grads, m, v, [], steps, lr=lr, beta1=0.9,
                    beta2=0.999, weight_decay=0.01, eps=1e-8, amsgrad=False, maximize=False)
                return 0
            """;

    private final CompilationUnit unit = torch.compile(SCRIPT);
    private final Function clip;
    private final Function update;
    private final IValue parameters;
    private final IValue firstMoments;
    private final IValue secondMoments;
    private final IValue steps;
    private final double lr;

    TorchAdamW(List<Tensor> parameters, double lr) {
        FunctionVector functions = unit.get_functions();
        clip = functions.get(0);
        update = functions.get(1);
        this.parameters = list(parameters);
        firstMoments = list(parameters.stream().map(torch::zeros_like).toList());
        secondMoments = list(parameters.stream().map(torch::zeros_like).toList());
        steps = list(parameters.stream().map(p -> torch.zeros(new long[0])).toList());
        this.lr = lr;
    }

    private static IValue list(List<Tensor> tensors) {
        var list = new GenericList(new Type.TypePtr(TensorType.get()));
        tensors.forEach(t -> list.push_back(new IValue(t)));
        return new IValue(list);
    }

    /// Makes a list that [#step] takes of gradients.
    static IValue list(TensorVector tensors) {
        return list(List.of(tensors.get()));
    }

    /// Scales gradients down to a global norm of at most `limit` and returns what it was.
    Tensor clip(IValue grads, double limit) {
        var in = new IValueVector(grads, new IValue(limit));
        return clip.apply(in).toTensor();
    }

    /// Updates the parameters.
    void step(IValue grads) {
        try (var _ = new NoGradGuard()) {
            update.apply(
                    new IValueVector(
                            parameters, grads, firstMoments, secondMoments, steps, new IValue(lr)));
        }
    }
}
