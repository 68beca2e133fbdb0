package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Evaluator;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class UnlearningReportTest {
    private final CausalLM model =
            CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
    private final List<Example> texts = texts();
    private final Set<Integer> concept = Set.of(likeliest(texts.getFirst().inputIds()));

    private static List<Example> texts() {
        var texts = new ArrayList<Example>();
        for (int i = 0; i < 10; i++) {
            texts.add(Example.of(TinyModels.ids(i, 1, 6 + i % 3).toInts()));
        }
        return texts;
    }

    private double[] next(int[] context) {
        Tensor hidden = model.hidden(Ops.indices(context, 1, context.length));
        Tensor all = Ops.softmax(model.logits(hidden), -1);
        return all.narrow(1, context.length - 1, 1).toDoubles();
    }

    private int likeliest(int[] context) {
        double[] p = next(context);
        int best = 0;
        for (int i = 1; i < p.length; i++) {
            best = p[i] > p[best] ? i : best;
        }
        return best;
    }

    private UnlearningReport.Probes probes() {
        return new UnlearningReport.Probes(
                texts.subList(0, 4),
                List.of(texts.get(0).inputIds(), texts.get(5).inputIds()),
                texts.subList(4, 10),
                List.of(new int[] {1, 2}, new int[] {7}),
                Sampling.greedy().maxTokens(8));
    }

    @Test
    void aModelThatHasForgottenNothingIsLikeItself() {
        var report = UnlearningReport.of(model, Teacher.of(model), concept, probes());
        int id = concept.iterator().next();
        double probability = 0;
        int named = 0;
        for (int[] context : probes().mentions()) {
            probability += next(context)[id] / 2;
            named += likeliest(context) == id ? 1 : 0;
        }
        assertThat(named).isPositive();
        assertThat(report.exactMatch()).isEqualTo(named / 2.0);
        assertThat(report.conceptProbability()).isCloseTo(probability, offset(1e-5));
        double trained = 0;
        int tokens = 0;
        for (Example text : probes().trained()) {
            int[] ids = text.inputIds();
            for (int t = 1; t < ids.length; t++) {
                trained += next(Arrays.copyOf(ids, t))[id];
                tokens++;
            }
        }
        assertThat(report.efficacy()).isCloseTo(1 - trained / tokens, offset(1e-5));
        assertThat(report.unrelatedKl()).isCloseTo(0, offset(1e-6));
        assertThat(report.unrelatedNll())
                .isCloseTo(
                        Evaluator.of(model).run(Batches.of(texts.subList(4, 10)).size(3)).loss(),
                        offset(1e-5));
        assertThat(report.rougeL()).isEqualTo(1);
        assertThat(report.perplexity()).isGreaterThan(1);
        assertThat(report.distinctWords()).isBetween(1.0 / 16, 1.0);
    }

    @Test
    void unlearningShows() {
        var before = Teacher.frozenCopy(model);
        var first = UnlearningReport.of(model, before, concept, probes());
        Trainer.of(
                        model,
                        AdamW.of(model.trainable()).lr(1e-2),
                        Unlearn.of(model, before, concept).weights(0, 1))
                .steps(30)
                .run(BatchSource.of(Batches.of(texts).size(10)));
        var then = UnlearningReport.of(model, before, concept, probes());
        assertThat(then.efficacy()).isGreaterThan(first.efficacy());
        assertThat(then.conceptProbability()).isLessThan(0.2 * first.conceptProbability());
        assertThat(then.exactMatch()).isZero();
        assertThat(then.unrelatedKl()).isPositive();
        assertThat(then.rougeL()).isLessThan(1);
    }

    @Test
    void probesOfEachKindAreNeeded() {
        assertThatThrownBy(() ->
                        new UnlearningReport.Probes(
                                texts, List.of(), texts, List.of(), Sampling.greedy()))
                .hasMessageContaining("at least one of each kind");
    }
}
