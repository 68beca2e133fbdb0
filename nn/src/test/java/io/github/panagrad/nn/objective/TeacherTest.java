package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TeacherTest {
    private static final Tensor IDS = TinyModels.ids(3, 2, 6);

    private final CausalLM model = TinyPreferences.model(5);

    private static double[] hidden(CausalLM of) {
        return Ops.noGrad(() -> of.hidden(IDS).toDoubles());
    }

    private double[] ask(Teacher<CausalLM> teacher, long step, int epoch) {
        return teacher.ask(TinyPreferences.step(step, epoch), TeacherTest::hidden);
    }

    private static double[] weights(Module of) {
        return of.parameters().values().stream()
                .flatMapToDouble(p -> Arrays.stream(p.toDoubles()))
                .toArray();
    }

    @Test
    void aFrozenCopyStaysAndTheStudentIsLeftAlone() {
        double[] before = hidden(model);
        Teacher<CausalLM> teacher = Teacher.frozenCopy(model);
        TinyPreferences.disturb(model, 7);
        double[] after = hidden(model);
        double[] weights = weights(model);
        model.training(true);

        assertThat(ask(teacher, 9, 3)).containsExactly(before);
        assertThat(weights(model)).containsExactly(weights);
        assertThat(model.isTraining()).isTrue();
        assertThat(model.trainable()).hasSize(model.parameters().size());
        assertThat(hidden(model)).containsExactly(after).isNotEqualTo(before);
        assertThat(teacher.isFixed()).isTrue();
    }

    @Test
    void askingLeavesWhatWasRecordedBeforeValid() {
        Teacher<CausalLM> teacher = Teacher.frozenCopy(model);
        TinyPreferences.disturb(model, 7);
        Parameter p = model.trainable().get(1);
        double[] expected = model.hidden(IDS).square().sum().backward().get(p).toDoubles();
        Tensor loss = model.hidden(IDS).square().sum();
        ask(teacher, 1, 0);
        assertThat(loss.backward().get(p).toDoubles()).containsExactly(expected);
    }

    @Test
    void noGradientReachesATeacher() {
        Tensor out = Teacher.frozenCopy(model).ask(TinyPreferences.step(), m -> m.hidden(IDS));
        assertThat(out.requiresGrad()).isFalse();
        var other = TinyPreferences.model(6);
        assertThat(Teacher.of(other).ask(TinyPreferences.step(), m -> m.hidden(IDS)).requiresGrad())
                .isFalse();
    }

    @Test
    void aSnapshotIsTakenAtTheStartOfEpochs() {
        double[] start = hidden(model);
        Teacher<CausalLM> teacher = Teacher.snapshotEach(model, 2);
        TinyPreferences.disturb(model, 1);
        assertThat(ask(teacher, 2, 0)).containsExactly(start);
        TinyPreferences.disturb(model, 2);
        assertThat(ask(teacher, 3, 1)).containsExactly(start);
        TinyPreferences.disturb(model, 3);
        double[] second = hidden(model);
        assertThat(ask(teacher, 4, 2)).containsExactly(second);
        TinyPreferences.disturb(model, 4);
        assertThat(ask(teacher, 5, 2)).containsExactly(second);
        assertThat(ask(teacher, 6, 3)).containsExactly(second);
        assertThat(teacher.isFixed()).isFalse();
    }

    @Test
    void anAverageFollowsStepByStep() {
        Teacher<CausalLM> teacher = Teacher.ema(model, 0.75);
        Parameter p = model.trainable().getFirst();
        double average = p.toDoubles()[0];
        for (int step = 1; step < 5; step++) {
            double now = p.toDoubles()[0];
            average = step == 1 ? now : 0.75 * average + 0.25 * now;
            // Two batches of the same step count once.
            for (int batch = 0; batch < 2; batch++) {
                double found =
                        teacher.ask(
                                TinyPreferences.step(step, 0),
                                m -> m.trainable().getFirst().toDoubles()[0]);
                assertThat(found).isCloseTo(average, offset(1e-12));
            }
            TinyPreferences.disturb(model, step);
        }
    }

    @Test
    void anAdapterSwitchedOffIsTheFrozenCopyBitForBit() {
        model.freeze();
        var adapter = new Parameter("adapter", Ops.zeros(16).to(DType.F64));
        boolean[] on = {true};
        var layers = model.layers(PathPattern.of("**.q_proj"));
        layers.values()
                .forEach(layer ->
                        layer.intercept((l, x, context, inner) ->
                                on[0] ? inner.apply(x).add(x.mul(adapter)) : inner.apply(x)));
        Teacher<CausalLM> copy = Teacher.of(model.twin());
        double[] before = ask(copy, 1, 0);
        Teacher<CausalLM> off = Teacher.adapterOff(model, enabled -> on[0] = enabled);
        adapter.assign(Ops.randn(Rng.of(1), 16));
        assertThat(ask(off, 1, 0)).containsExactly(before);
        assertThat(on[0]).isTrue();
        assertThat(hidden(model)).isNotEqualTo(before);
        assertThatThrownBy(() ->
                        off.ask(
                                TinyPreferences.step(),
                                m -> {
                                    throw new IllegalStateException("question");
                                }))
                .hasMessage("question");
        assertThat(on[0]).isTrue();
    }

    @Test
    void refusesAStudentThatChangedItsKind() {
        model.freeze();
        model.unfreeze(PathPattern.of("**.q_proj"));
        Teacher<CausalLM> teacher = Teacher.frozenCopy(model);
        model.unfreeze(PathPattern.of("**.k_proj"));
        assertThatThrownBy(() -> ask(teacher, 1, 0)).hasMessageContaining("was not copied");
        model.freeze(PathPattern.of("**.k_proj"));
        assertThat(ask(teacher, 1, 0)).containsExactly(hidden(model));
        model.to(DType.F32);
        assertThatThrownBy(() -> ask(teacher, 1, 0)).hasMessageContaining("converted or moved");
        assertThatThrownBy(() -> Teacher.ema(model, 1)).hasMessageContaining("below 1");
        assertThatThrownBy(() -> Teacher.snapshotEach(model, 0)).hasMessageContaining("1 or more");
    }

    private static Trainer<Batch> trainer(
            CausalLM of, Function<CausalLM, Teacher<CausalLM>> teacher) {
        return Trainer.of(
                        of,
                        AdamW.of(of.trainable()).lr(1e-2),
                        Distill.of(of, teacher.apply(of)).weights(1, 0.5))
                .accumulation(2)
                .onWarning(text -> {});
    }

    private static void goesOnAsIfNeverStopped(
            Path folder, Function<CausalLM, Teacher<CausalLM>> teacher) {
        UnaryOperator<Batches> shuffled = b -> b.size(2).shuffled(3);
        var source =
                BatchSource.of(shuffled.apply(Batches.of(TinyPreferences.pairs().subList(0, 8))));
        var through = TinyPreferences.model(5);
        trainer(through, teacher).steps(5).run(source);
        Path file = folder.resolve("state.safetensors");
        // Four batches an epoch, two steps: the third is in the middle of the second epoch.
        trainer(TinyPreferences.model(5), teacher).steps(3).saveState(file, 0).run(source);
        var resumed = TinyPreferences.model(5);
        trainer(resumed, teacher).steps(5).resume(file).run(source);
        assertThat(weights(resumed)).containsExactly(weights(through));
    }

    @Test
    void aResumedRunHasTheSameTeacher(@TempDir Path folder) {
        goesOnAsIfNeverStopped(folder, m -> Teacher.snapshotEach(m, 1));
        goesOnAsIfNeverStopped(folder, m -> Teacher.ema(m, 0.9));
        goesOnAsIfNeverStopped(folder, Teacher::frozenCopy);
        var other = TinyPreferences.model(5);
        assertThatThrownBy(() ->
                        trainer(other, m -> Teacher.of(TinyPreferences.model(6)))
                                .resume(folder.resolve("state.safetensors")))
                .hasMessageContaining("no weights of its own");
    }
}
