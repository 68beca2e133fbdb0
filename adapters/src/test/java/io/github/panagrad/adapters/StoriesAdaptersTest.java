package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What methods promise of their start, their files and their merging, on a real model, whose logits
/// are large.
class StoriesAdaptersTest {
    private static final String TARGETS = "model.layers.*.**.{q,up}_proj";
    private static final int[] TEXT = {1, 9038, 2501, 263, 931, 29892, 727, 471, 263, 2217, 7826};

    private static CausalLM stories() {
        return CausalLM.load(Assets.require("models/stories15m"));
    }

    private static Tensor ids() {
        return Ops.indices(TEXT, 1, TEXT.length);
    }

    private static float[] logits(CausalLM model) {
        return Ops.noGrad(() -> model.logits(model.hidden(ids())).toFloats());
    }

    private static double distance(float[] a, float[] b) {
        assertThat(a).hasSameSizeAs(b);
        double largest = 0;
        for (int i = 0; i < a.length; i++) {
            largest = Math.max(largest, Math.abs((double) a[i] - b[i]));
        }
        return largest;
    }

    static Stream<MethodCase> methods() {
        CausalLM model = stories();
        var inputs = Covariances.collect(model, TARGETS, () -> model.hidden(ids()));
        Lora lora = Lora.rank(8).alpha(16).seed(1);
        return Stream.of(
                MethodCase.linear("lora", lora),
                MethodCase.linear("dora", lora.dora(true)),
                MethodCase.linear("orthogonal", lora.init(LoraInit.orthogonal())),
                MethodCase.linear("pissa", lora.init(LoraInit.pissa())),
                MethodCase.linear("olora", lora.init(LoraInit.olora())),
                MethodCase.linear(
                        "corda-ipm", lora.init(LoraInit.cordaInstructionPreviewed(inputs))),
                MethodCase.linear("corda-kpm", lora.init(LoraInit.cordaKnowledgePreserved(inputs))),
                MethodCase.linear("eva", lora.init(LoraInit.eva(inputs))),
                MethodCase.linear("adalora", AdaLora.rank(8).seed(1)),
                MethodCase.linear("vera", Vera.rank(16).seed(1)),
                MethodCase.linear("loha", Loha.rank(4).seed(1)),
                MethodCase.linear("lokr", Lokr.rank(4).seed(1)),
                MethodCase.linear("ia3", Ia3.standard()),
                MethodCase.linear("oft", Oft.blocks(16)),
                MethodCase.linear("oft with an inverse", Oft.blocks(16).neumannTerms(0)));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void startsAsItWasMergesAndComesBack(MethodCase c, @TempDir Path folder) {
        CausalLM model = stories();
        float[] base = logits(model);
        Adapter adapter = c.method().attach(model, PathPattern.of(TARGETS));
        // The product of orthogonal factors is zero but for the rounding of each to F32; what that
        // makes of
        // the logits is about what merging does.
        double most = c.name().equals("orthogonal") ? 3e-5 : 1e-5;
        assertThat(distance(logits(model), base)).as("at first").isLessThan(most);

        var optimizer = AdamW.of(model.trainable()).lr(1e-3);
        for (int step = 0; step < 2; step++) {
            Tensor loss =
                    Losses.linearCrossEntropy(
                            model.hidden(ids()), model.head(), Losses.shifted(ids(), 1, -100));
            optimizer.step(loss.backward());
        }
        float[] trained = logits(model);
        assertThat(distance(trained, base)).as("trained").isGreaterThan(1e-3);
        adapter.save(folder);
        assertThat(adapter.merge(() -> model.logits(model.hidden(ids()))))
                .as("merged")
                .isLessThan(1e-4);
        CausalLM fresh = stories();
        Adapter.load(fresh, folder);
        assertThat(distance(logits(fresh), trained)).as("loaded").isZero();
    }
}
