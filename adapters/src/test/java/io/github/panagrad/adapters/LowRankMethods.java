package io.github.panagrad.adapters;

import io.github.panagrad.nn.models.CausalLM;
import java.util.stream.Stream;

/// LoRA and its family.
final class LowRankMethods {
    private LowRankMethods() {}

    static Stream<MethodCase> all() {
        return all(TinyModel.create());
    }

    /// Lists them for a model, whose inputs some of them begin with.
    static Stream<MethodCase> all(CausalLM model) {
        Covariances inputs = inputs(model);
        Lora lora = Lora.rank(4).alpha(6).seed(1);
        return Stream.of(
                MethodCase.linear("lora", lora),
                MethodCase.linear("rslora", lora.rankStabilized(true)),
                MethodCase.linear(
                        "lora with patterns",
                        lora.rankOf("[qk]_proj", 2).alphaOf("layers\\.1\\..*", 3)),
                MethodCase.linear("lora-fa", lora.freezesDown(true)),
                MethodCase.linear("dora", lora.dora(true)),
                MethodCase.linear("gaussian", lora.init(LoraInit.gaussian())),
                MethodCase.linear("orthogonal", lora.init(LoraInit.orthogonal())),
                MethodCase.linear("pissa", lora.init(LoraInit.pissa())),
                MethodCase.linear(
                        "pissa, rank-stabilised", lora.init(LoraInit.pissa()).rankStabilized(true)),
                MethodCase.linear("olora", lora.init(LoraInit.olora())),
                MethodCase.linear(
                        "corda-ipm", lora.init(LoraInit.cordaInstructionPreviewed(inputs))),
                MethodCase.linear("corda-kpm", lora.init(LoraInit.cordaKnowledgePreserved(inputs))),
                MethodCase.linear("eva", lora.init(LoraInit.eva(inputs))),
                MethodCase.linear("adalora", AdaLora.rank(4).alpha(8).seed(1)));
    }

    static Covariances inputs() {
        return inputs(TinyModel.create());
    }

    private static Covariances inputs(CausalLM model) {
        return Covariances.collect(
                model,
                "model.layers.**.{q,k,v,o,gate,up,down}_proj",
                () -> {
                    model.hidden(TinyModel.ids(1));
                    model.hidden(TinyModel.ids(2));
                });
    }
}
