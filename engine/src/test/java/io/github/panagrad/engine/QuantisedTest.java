package io.github.panagrad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.ShapeException;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Tensors of block-quantised types behave as their widened copies do.
class QuantisedTest {
    private final Rng rng = Rng.of(12);

    private Tensor randn(int... dims) {
        return Ops.randn(rng, dims);
    }

    private static void close(Tensor actual, Tensor expected) {
        assertThat(actual.shape()).isEqualTo(expected.shape());
        double[] a = actual.toDoubles();
        double[] e = expected.toDoubles();
        for (int i = 0; i < e.length; i++) {
            assertThat(Math.abs(a[i] - e[i])).as("at %d", i).isLessThan(3e-5);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "NF4"})
    void widensToWhatItHolds(DType type) {
        Tensor q = randn(5, 97).to(type);
        assertThat(q.dtype()).isEqualTo(type);
        assertThat(q.to(DType.F32).toFloats()).containsExactly(q.toFloats());
        assertThat(q.to(Device.REFERENCE).to(DType.F32).toFloats()).containsExactly(q.toFloats());
        assertThat(q.toString()).startsWith("tensor " + q.dtype().label() + "[5,97] cpu");
        assertThat(q.at(4, 96)).isEqualTo(q.toDoubles()[5 * 97 - 1]);
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "NF4"})
    void quantisesTheSameFromEveryTypeAndDevice(DType type) {
        Tensor x = randn(6, 70).to(DType.BF16);
        float[] expected = x.to(DType.F32).to(type).toFloats();
        assertThat(x.to(type).toFloats()).containsExactly(expected);
        assertThat(x.to(Device.REFERENCE).to(type).toFloats()).containsExactly(expected);
        Tensor turned = x.to(DType.F32).transpose().contiguous().transpose();
        assertThat(turned.to(type).toFloats()).containsExactly(expected);
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "NF4"})
    void copiesRowsAsTheyAre(DType type) {
        Tensor q = randn(7, 70).to(type);
        assertThat(q.copy().toFloats()).containsExactly(q.toFloats());
        Tensor rows = q.narrow(0, 2, 3);
        assertThat(rows.copy().toFloats()).containsExactly(rows.toFloats());
        assertThat(rows.to(Device.REFERENCE).copy().toFloats()).containsExactly(rows.toFloats());
        assertThat(rows.byteSize() * 7).isEqualTo(q.byteSize() * 3);
        assertThatThrownBy(() -> q.transpose().copy())
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("to(DType.F32)");
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "NF4"})
    void readsAnyView(DType type) {
        Tensor q = randn(6, 64).to(type);
        Tensor wide = q.to(DType.F32);
        List<UnaryOperator<Tensor>> views =
                List.of(
                        Tensor::transpose,
                        t -> t.narrow(0, 1, 4),
                        t -> t.narrow(1, 5, 40),
                        t -> t.slice(1, 1, 20, 3),
                        t -> t.reshape(4, 96),
                        t -> t.transpose().narrow(0, 32, 32));
        for (var view : views) {
            assertThat(view.apply(q).to(DType.F32).toFloats())
                    .containsExactly(view.apply(wide).toFloats());
            close(view.apply(q).sum(0, false), view.apply(wide).sum(0, false));
            Tensor x = randn(3, view.apply(q).dim(0));
            close(x.matmul(view.apply(q)), x.matmul(view.apply(wide)));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "NF4"})
    void givesTheGradientsOfItsWidenedCopy(DType type) {
        for (int tokens : new int[] {1, 2, 7, 40}) {
            Tensor w = randn(45, 70).to(type);
            Tensor wide = w.to(DType.F32);
            Tensor x = randn(tokens, 70).requireGrad();
            Tensor bias = randn(45);
            Tensor dy = randn(tokens, 45);
            close(Ops.linear(x, w, bias), Ops.linear(x, wide, bias));
            close(
                    Ops.linear(x, w, bias).backward(dy).get(x),
                    Ops.linear(x, wide, bias).backward(dy).get(x));
            close(
                    x.matmul(w.transpose()).backward(dy).get(x),
                    x.matmul(wide.transpose()).backward(dy).get(x));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "NF4"})
    void servesAnEmbeddingAndItsHead(DType type) {
        Tensor w = randn(50, 40).to(type);
        Tensor wide = w.to(DType.F32);
        Tensor ids = Ops.indices(new int[] {3, 49, 0, 3, 17}, 5);
        assertThat(Ops.embedding(w, ids).toFloats())
                .containsExactly(Ops.embedding(wide, ids).toFloats());
        assertThat(Ops.embedding(w.narrow(0, 10, 40), Ops.indices(new int[] {39}, 1)).toFloats())
                .containsExactly(wide.narrow(0, 49, 1).toFloats());
        Tensor hidden = randn(5, 40).requireGrad();
        Tensor loss = headLoss(hidden, w, ids);
        Tensor expected = headLoss(hidden, wide, ids);
        close(loss, expected);
        close(loss.backward().get(hidden), expected.backward().get(hidden));
    }

    private static Tensor headLoss(Tensor hidden, Tensor weight, Tensor ids) {
        var options = HeadOptions.DEFAULT;
        return TransformerOps.linearCrossEntropy(hidden, weight, ids, Ops.ones(5), options).loss();
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "NF4"})
    void makesAFrozenParameter(DType type) {
        var p = new Parameter("w", randn(8, 64).to(type));
        assertThat(p.isTrainable()).isFalse();
        assertThat(p.toString()).contains("frozen");
        assertThatThrownBy(() -> p.trainable(true))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("f32");
        Tensor other = randn(8, 64);
        p.assign(other);
        assertThat(p.toFloats()).containsExactly(other.to(type).toFloats());
        p.replace(p.to(DType.F32));
        assertThat(p.trainable(true).isTrainable()).isTrue();
    }
}
