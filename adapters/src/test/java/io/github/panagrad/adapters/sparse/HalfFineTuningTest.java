package io.github.panagrad.adapters.sparse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.adapters.Assets;
import io.github.panagrad.adapters.TinyModel;
import io.github.panagrad.adapters.sparse.HalfSelection.Outside;
import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.ParamTable;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HalfFineTuningTest {
    private static final ParamCategory[] ATTENTION = {
        ParamCategory.ATTN_Q, ParamCategory.ATTN_K, ParamCategory.ATTN_V, ParamCategory.ATTN_O
    };
    private static final ParamCategory[] FEED_FORWARD = {
        ParamCategory.MLP_UP, ParamCategory.MLP_GATE, ParamCategory.MLP_DOWN
    };

    private static Map<String, float[]> values(Module model) {
        var values = new HashMap<String, float[]>();
        model.stateDict().forEach((path, t) -> values.put(path, t.toFloats()));
        return values;
    }

    private static Set<String> changed(Module model, Map<String, float[]> before) {
        var changed = new TreeSet<String>();
        model.stateDict()
                .forEach((path, t) -> {
                    if (!Arrays.equals(t.toFloats(), before.get(path))) {
                        changed.add(path);
                    }
                });
        return changed;
    }

    private static Set<String> paths(ParamSelection selection) {
        var paths = new TreeSet<String>();
        selection.forEach(e -> paths.add(e.path()));
        return paths;
    }

    private static Objective<Integer> objective(CausalLM model) {
        return (batch, step) -> LossTerm.of(TinyModel.loss(model), 1);
    }

    private static Trainer<Integer> trainer(
            CausalLM model, AdamW optimizer, Objective<Integer> objective) {
        return Trainer.of(model, optimizer, objective);
    }

    private static AdamW optimizer(CausalLM model) {
        return AdamW.of(model.selection().parameters()).lr(0.01).weightDecay(0.1);
    }

    @Test
    void drawsExactlyHalfOfStories15m() {
        CausalLM model = CausalLM.load(Assets.require("models/stories15m"));
        ParamSelection all = model.selection();
        assertThat(all.blocks(b -> true).count()).isEqualTo(5_975_424);
        for (int round = 0; round < 3; round++) {
            ParamSelection half = HalfSelection.category(0.5, 1).draw(all, round);
            assertThat(half.count()).isEqualTo(2_987_712);
            int two = 0;
            for (int block = 0; block < 6; block++) {
                int b = block;
                ParamSelection here = half.blocks(n -> n == b);
                assertThat(all.blocks(n -> n == b).in(ATTENTION).count()).isEqualTo(331_776);
                assertThat(all.blocks(n -> n == b).in(FEED_FORWARD).count()).isEqualTo(663_552);
                assertThat(all.blocks(n -> n == b).in(ParamCategory.NORM).count()).isEqualTo(576);
                assertThat(here.in(ATTENTION).size()).isEqualTo(2);
                assertThat(here.in(ParamCategory.NORM).size()).isEqualTo(1);
                int matrices = here.in(FEED_FORWARD).size();
                assertThat(matrices).isBetween(1, 2);
                two += matrices - 1;
            }
            assertThat(two).isEqualTo(3);
        }
        // The embedding is the head too, and most of the model.
        assertThat(HalfSelection.category(0.5, 1).trainsOutside(all)).isFalse();
    }

    @Test
    void theOtherHalfKeepsItsBitsInEveryRoundAndCostsNoState() {
        CausalLM model = TinyModel.create();
        AdamW optimizer = optimizer(model);
        var selection = HalfSelection.category(0.5, 3).outside(Outside.FREEZE);
        var half = HalfFineTuning.of(model.selection(), optimizer, selection);
        var union = new TreeSet<String>();
        for (int round = 0; round < 4; round++) {
            half.round(round);
            Map<String, float[]> before = values(model);
            for (int step = 0; step < 3; step++) {
                optimizer.step(TinyModel.loss(model).backward());
            }
            Set<String> changed = changed(model, before);
            assertThat(changed).isEqualTo(paths(half.live()));
            assertThat(half.live().count())
                    .isCloseTo(model.selection().blocks(b -> true).count() / 2, within(384L));
            assertThat(optimizer.stateSize()).isEqualTo(2 * half.live().count());
            union.addAll(changed);
        }
        assertThat(union).hasSizeGreaterThan(half.live().size());
    }

    /// As many keys as queries, so that halves of the matrices are halves of the parameters.
    private static CausalLM even() {
        return CausalLM.create(
                ModelConfig.of(
                        JsonObject.of(
                                "model_type", "llama",
                                "vocab_size", TinyModel.VOCABULARY,
                                "hidden_size", 16,
                                "intermediate_size", 24,
                                "num_hidden_layers", 4,
                                "num_attention_heads", 4,
                                "num_key_value_heads", 4,
                                "max_position_embeddings", 32,
                                "initializer_range", 0.2,
                                "tie_word_embeddings", false)),
                5);
    }

    @Test
    void exactlyHalfOfTheBlocksParametersKeepTheirBitsInEachRound() {
        CausalLM model = even();
        AdamW optimizer = optimizer(model);
        var selection = HalfSelection.category(0.5, 2).outside(Outside.FREEZE);
        var half = HalfFineTuning.of(model.selection(), optimizer, selection);
        long blocks = model.selection().blocks(b -> true).count();
        var keeping = new HashSet<Set<String>>();
        for (int round = 0; round < 3; round++) {
            half.round(round);
            Map<String, float[]> before = values(model);
            for (int step = 0; step < 2; step++) {
                optimizer.step(TinyModel.loss(model).backward());
            }
            long kept = 0;
            var names = new TreeSet<String>();
            for (ParamSelection.Entry entry : model.selection().blocks(b -> true)) {
                float[] was = before.get(entry.path());
                float[] is = entry.parameter().toFloats();
                for (int i = 0; i < is.length; i++) {
                    boolean same = Float.floatToIntBits(is[i]) == Float.floatToIntBits(was[i]);
                    kept += same ? 1 : 0;
                    if (same) {
                        names.add(entry.path());
                    }
                }
            }
            assertThat(2 * kept).isEqualTo(blocks);
            keeping.add(names);
        }
        assertThat(keeping).hasSizeGreaterThan(1);
    }

    @Test
    void allOfItIsFullFineTuning() {
        for (HalfSelection all :
                List.of(
                        HalfSelection.category(1, 0),
                        HalfSelection.layer(1, 0),
                        HalfSelection.model(1, 0))) {
            CausalLM plain = TinyModel.create();
            CausalLM halves = TinyModel.create();
            trainer(plain, optimizer(plain), objective(plain)).steps(4).run(e -> List.of(1, 2));
            AdamW optimizer = optimizer(halves);
            var half = HalfFineTuning.of(halves.selection(), optimizer, all);
            trainer(halves, optimizer, half.eachEpoch(objective(halves)))
                    .steps(4)
                    .run(e -> List.of(1, 2));
            assertThat(changed(halves, values(plain))).isEmpty();
        }
    }

    @Test
    void badFractionsAreNamed() {
        for (double fraction : new double[] {0, -0.1, 1.5, Double.NaN}) {
            assertThatThrownBy(() -> HalfSelection.category(fraction, 0))
                    .hasMessageContaining("half selection: fraction out of range");
        }
        CausalLM model = TinyModel.create();
        var none = HalfSelection.model(1e-9, 0).outside(Outside.FREEZE);
        assertThatThrownBy(() -> none.draw(model.selection(), 0))
                .hasMessageContaining("nothing would train");
    }

    @Test
    void sameSeedAndRoundDrawTheSameHalf() {
        ParamSelection all = TinyModel.create().selection();
        for (var level : HalfSelection.Level.values()) {
            var half = new HalfSelection(level, 0.5, 9, Outside.FREEZE);
            var again = new HalfSelection(level, 0.5, 9, Outside.FREEZE);
            var drawn = new HashSet<Set<String>>();
            for (int round = 0; round < 8; round++) {
                assertThat(paths(half.draw(all, round))).isEqualTo(paths(again.draw(all, round)));
                assertThat(half.draw(all, round).count())
                        .isLessThanOrEqualTo(all.blocks(b -> true).count() / 2 + 384);
                drawn.add(paths(half.draw(all, round)));
            }
            assertThat(drawn).as(level.toString()).hasSizeGreaterThan(1);
        }
        assertThat(HalfSelection.layer(0.5, 9).outside(Outside.FREEZE).draw(all, 0))
                .extracting(ParamSelection.Entry::block)
                .hasSize(9)
                .containsOnly(
                        HalfSelection.layer(0.5, 9)
                                .draw(all, 0)
                                .blocks(b -> true)
                                .entries()
                                .getFirst()
                                .block());
    }

    private static ModelConfig bert() {
        return ModelConfig.of(
                JsonObject.of(
                        "model_type", "bert",
                        "vocab_size", 23,
                        "hidden_size", 16,
                        "intermediate_size", 24,
                        "num_hidden_layers", 3,
                        "num_attention_heads", 4,
                        "max_position_embeddings", 32,
                        "type_vocab_size", 2,
                        "hidden_act", "gelu"));
    }

    @Test
    void blocksOfBertHaveTwoFeedForwardMatricesAndBiases() {
        ParamSelection all = BertModel.create(bert(), 1).selection();
        ParamSelection half = HalfSelection.category(0.5, 2).draw(all, 0);
        for (int block = 0; block < 3; block++) {
            int b = block;
            ParamSelection here = half.blocks(n -> n == b);
            assertThat(here.in(ATTENTION).size()).isEqualTo(2);
            assertThat(here.in(ParamCategory.MLP_UP, ParamCategory.MLP_DOWN).size()).isEqualTo(1);
            assertThat(here.in(ParamCategory.NORM).size()).isEqualTo(1);
            // Each of these four, and only these, has its bias.
            assertThat(here.in(ParamCategory.BIAS).size()).isEqualTo(4);
            for (ParamSelection.Entry bias : here.in(ParamCategory.BIAS)) {
                assertThat(paths(here)).contains(bias.path().replace(".bias", ".weight"));
            }
        }
    }

    /// Names and shapes of GPT-2's blocks, whose queries, keys and values are one matrix.
    private static final class Gpt2Names extends Module {
        private static final ParamTable TABLE =
                ParamTable.blocksAt("h")
                        .with(ParamCategory.BIAS, "**.bias")
                        .with(ParamCategory.EMBED, "wte.weight")
                        .with(ParamCategory.ATTN_Q, "**.attn.c_attn.weight")
                        .with(ParamCategory.ATTN_O, "**.attn.c_proj.weight")
                        .with(ParamCategory.MLP_UP, "**.mlp.c_fc.weight")
                        .with(ParamCategory.MLP_DOWN, "**.mlp.c_proj.weight")
                        .with(ParamCategory.NORM, "**.ln_*.weight");

        Gpt2Names(int layers) {
            parameter("wte.weight", Ops.zeros(10, 4));
            for (int i = 0; i < layers; i++) {
                part(i, "ln_1", 4, 1);
                part(i, "attn.c_attn", 4, 12);
                part(i, "attn.c_proj", 4, 4);
                part(i, "ln_2", 4, 1);
                part(i, "mlp.c_fc", 4, 16);
                part(i, "mlp.c_proj", 16, 4);
            }
        }

        private void part(int layer, String name, int in, int out) {
            parameter("h." + layer + "." + name + ".weight", Ops.zeros(in, out));
            parameter("h." + layer + "." + name + ".bias", Ops.zeros(out));
        }
    }

    @Test
    void partsOfUnlikeSizeStayWithinOneOfHalf() {
        for (int layers = 1; layers < 8; layers++) {
            ParamSelection all = ParamSelection.of(new Gpt2Names(layers), Gpt2Names.TABLE);
            for (int seed = 0; seed < 10; seed++) {
                var half = HalfSelection.category(0.5, seed).outside(Outside.FREEZE).draw(all, 0);
                assertThat(half.in(ParamCategory.NORM).size()).isEqualTo(layers);
                assertThat(half.in(ParamCategory.MLP_UP, ParamCategory.MLP_DOWN).size())
                        .isEqualTo(layers);
                // Matrices of 4·12 and 4·4, half of them all is 32 a block.
                assertThat(half.in(ATTENTION).size()).isEqualTo(layers);
                assertThat(half.in(ATTENTION).count())
                        .isCloseTo(32L * layers, within(4L * 12 + 12));
            }
        }
    }

    @Test
    void anOddNumberOfBlocksComesAsNearAsItCan() {
        var table = Gpt2Names.TABLE.with(ParamCategory.MLP_GATE, "**.mlp.gate.weight");
        for (int layers : new int[] {1, 3, 5}) {
            var model = new Gpt2Names(layers);
            for (int i = 0; i < layers; i++) {
                model.part(i, "mlp.gate", 4, 16);
            }
            ParamSelection half =
                    HalfSelection.category(0.5, 4).draw(ParamSelection.of(model, table), 0);
            assertThat(half.in(FEED_FORWARD).size()).isEqualTo(Math.round(1.5 * layers));
        }
    }

    private static long products() {
        return Stream.of(Backends.explain().split("\n"))
                .filter(line -> line.contains(" MatMul "))
                .mapToLong(line -> Long.parseLong(line.substring(line.lastIndexOf('x') + 1)))
                .sum();
    }

    @Test
    void halfOfTheProductsForWeightsAreLeftOutAndNoOther() {
        CausalLM model = CausalLM.load(Assets.require("models/stories15m"));
        model.to(DType.F32);
        model.unfreeze();
        long[] count = new long[2];
        double[] work = new double[2];
        for (int arm = 0; arm < 2; arm++) {
            AdamW optimizer = AdamW.of(model.selection().parameters());
            double fraction = arm == 0 ? 1 : 0.5;
            var selection = HalfSelection.category(fraction, 1).outside(Outside.TRAIN);
            HalfFineTuning.of(model.selection(), optimizer, selection);
            Tensor ids = Ops.indices(new int[] {1, 40, 77, 300, 5}, 1, 5);
            Tensor loss = Losses.linearCrossEntropy(model.hidden(ids), model.head(), ids);
            Backends.clearLog();
            Grads grads = loss.backward();
            count[arm] = products();
            for (Parameter p : model.selection().blocks(b -> true).parameters()) {
                work[arm] += p.rank() == 2 && grads.find(p).isPresent() ? 2 * 5 * p.size() : 0;
            }
        }
        // Seven matrices in each of six blocks, half of them frozen.
        assertThat(count[0] - count[1]).isEqualTo(21);
        assertThat(work[1] / work[0]).isCloseTo(0.5, within(0.01));
    }

    @Test
    void aResumedRunEndsWithTheSameBits(@TempDir Path folder) {
        Path file = folder.resolve("state.safetensors");
        CausalLM straight = TinyModel.create();
        run(straight, 7, null, null);
        CausalLM stopped = TinyModel.create();
        run(stopped, 4, file, null);
        CausalLM resumed = TinyModel.create();
        run(resumed, 7, null, file);
        assertThat(changed(resumed, values(straight))).isEmpty();
        assertThat(changed(stopped, values(straight))).isNotEmpty();
    }

    private static void run(CausalLM model, int steps, @Nullable Path save, @Nullable Path from) {
        AdamW optimizer = optimizer(model);
        var half = HalfFineTuning.of(model.selection(), optimizer, HalfSelection.category(0.5, 5));
        // The half of the second pass begins with the fourth step.
        var trainer = trainer(model, optimizer, half.eachEpoch(objective(model))).steps(steps);
        if (save != null) {
            trainer.saveState(save, 0);
        }
        if (from != null) {
            trainer.resume(from);
        }
        trainer.run(e -> List.of(1, 2, 3));
    }

    @Test
    void roundsOfSomeStepsFollowTheSteps() {
        CausalLM model = TinyModel.create();
        AdamW optimizer = optimizer(model);
        var selection = HalfSelection.category(0.5, 5);
        var half = HalfFineTuning.of(model.selection(), optimizer, selection);
        trainer(model, optimizer, half.each(2, objective(model)))
                .steps(5)
                .onStep(m ->
                        assertThat(paths(half.live()))
                                .isEqualTo(
                                        paths(
                                                selection.draw(
                                                        model.selection(),
                                                        (int) (m.step() - 1) / 2))))
                .run(e -> List.of(1));
        assertThatThrownBy(() -> half.each(0, objective(model)))
                .hasMessageContaining("steps of a round out of range");
        assertThatThrownBy(() -> half.round(-1)).hasMessageContaining("round out of range");
    }

    @Test
    void resetsWhatIsNotDrawnToTheBase() {
        CausalLM base = TinyModel.create();
        CausalLM tuned = TinyModel.create();
        trainer(tuned, optimizer(tuned), objective(tuned)).steps(2).run(e -> List.of(1));
        Map<String, float[]> before = values(tuned);
        var selection = HalfSelection.category(0.5, 1);
        ParamSelection back = selection.reset(tuned.selection(), base.stateDict(), 0);
        assertThat(changed(tuned, before)).isEqualTo(paths(back));
        Set<String> kept = paths(selection.draw(tuned.selection(), 0));
        assertThat(changed(tuned, values(base))).isEqualTo(kept);
        assertThatThrownBy(() -> selection.reset(tuned.selection(), Map.of(), 0))
                .hasMessageContaining("half reset: the base does not fit parameter");
    }
}
