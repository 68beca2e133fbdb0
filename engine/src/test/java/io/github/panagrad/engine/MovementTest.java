package io.github.panagrad.engine;

import static io.github.panagrad.engine.Ops.arange;
import static io.github.panagrad.engine.Ops.concat;
import static io.github.panagrad.engine.Ops.conv1d;
import static io.github.panagrad.engine.Ops.eye;
import static io.github.panagrad.engine.Ops.indices;
import static io.github.panagrad.engine.Ops.linspace;
import static io.github.panagrad.engine.Ops.ones;
import static io.github.panagrad.engine.Ops.randn;
import static io.github.panagrad.engine.Ops.stack;
import static io.github.panagrad.engine.Ops.tensor;
import static io.github.panagrad.engine.Ops.trilMask;
import static io.github.panagrad.engine.Ops.triuMask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.check.GradCheck;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MovementTest {
    private final Rng rng = Rng.of(5);

    private static Tensor counted(int... dims) {
        return arange(Shape.of(dims).intSize()).to(DType.F32).reshape(dims);
    }

    @Test
    void splitCutsAndConcatJoins() {
        Tensor x = counted(2, 7);
        List<Tensor> parts = x.split(1, 3, 0, 4);
        assertThat(parts)
                .extracting(Tensor::shape)
                .containsExactly(Shape.of(2, 3), Shape.of(2, 0), Shape.of(2, 4));
        assertThat(parts.getLast().toFloats()).containsExactly(3, 4, 5, 6, 10, 11, 12, 13);
        assertThat(concat(-1, parts.toArray(Tensor[]::new)).toFloats()).isEqualTo(x.toFloats());
        assertThatThrownBy(() -> x.split(1, 3, 3))
                .isInstanceOf(ShapeException.class)
                .hasMessage(
                        "split: lengths do not add up; got [3, 3] of dimension 1 of f32[2,7]; expected"
                                + " a sum of 7; chunk(dim, pieces) cuts evenly");
    }

    @ParameterizedTest
    @CsvSource({"7,3,'3,3,1'", "6,3,'2,2,2'", "5,4,'2,2,1'", "2,5,'1,1'", "0,2,'0'"})
    void chunkCutsEvenly(int extent, int pieces, String lengths) {
        assertThat(counted(extent).chunk(0, pieces))
                .extracting(part -> Integer.toString(part.dim(0)))
                .containsExactly(lengths.split(","));
    }

    @Test
    void stackAddsADimension() {
        Tensor a = counted(2, 3);
        Tensor b = a.add(10);
        assertThat(stack(0, a, b).shape()).isEqualTo(Shape.of(2, 2, 3));
        assertThat(stack(-1, a, b).toFloats())
                .containsExactly(0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15);
        assertThatThrownBy(() -> stack(0, a, counted(3, 2)))
                .hasMessage("stack: shapes differ; got f32[2,3] and f32[3,2]; expected one shape");
    }

    @Test
    void padAddsElements() {
        Tensor x = tensor(1, 2);
        assertThat(x.pad(0, 1, 2).toFloats()).containsExactly(0, 1, 2, 0, 0);
        assertThat(x.pad(0, 1, 1, Double.NEGATIVE_INFINITY).toFloats())
                .containsExactly(Float.NEGATIVE_INFINITY, 1, 2, Float.NEGATIVE_INFINITY);
        assertThat(indices(new int[] {4, 5}).pad(0, 0, 1, -100).toInts())
                .containsExactly(4, 5, -100);
        assertThatThrownBy(() -> x.pad(0, -1, 0))
                .hasMessage("pad: negative padding; got -1 and 0; narrow() cuts off");
    }

    @Test
    void singleDimensionsComeAndGo() {
        Tensor x = counted(2, 3);
        assertThat(x.unsqueeze(0).shape()).isEqualTo(Shape.of(1, 2, 3));
        assertThat(x.unsqueeze(-1).shape()).isEqualTo(Shape.of(2, 3, 1));
        assertThat(x.unsqueeze(-3).squeeze(0).shape()).isEqualTo(x.shape());
        assertThat(x.select(0, 1).toFloats()).containsExactly(3, 4, 5);
        assertThatThrownBy(() -> x.squeeze(1)).hasMessageContaining("select(dim, index)");
        assertThatThrownBy(() -> x.unsqueeze(3)).hasMessageContaining("expected -3 to 2");
    }

    @Test
    void flattenMergesDimensions() {
        Tensor x = counted(2, 3, 4, 5);
        assertThat(x.flatten().shape()).isEqualTo(Shape.of(120));
        assertThat(x.flatten(1, 2).shape()).isEqualTo(Shape.of(2, 12, 5));
        assertThat(x.flatten(-2, -1).shape()).isEqualTo(Shape.of(2, 3, 20));
        assertThat(x.flatten(1, 1).shape()).isEqualTo(x.shape());
        assertThatThrownBy(() -> x.flatten(2, 1)).isInstanceOf(ShapeException.class);
    }

    @Test
    void triangles() {
        Tensor x = counted(3, 3).add(1);
        assertThat(x.tril(0).toFloats()).containsExactly(1, 0, 0, 4, 5, 0, 7, 8, 9);
        assertThat(x.triu(1).toFloats()).containsExactly(0, 2, 3, 0, 0, 6, 0, 0, 0);
        assertThat(trilMask(2, 3, 0).toInts()).containsExactly(1, 0, 0, 1, 1, 0);
        assertThat(triuMask(2, 3, 1).toInts()).containsExactly(0, 1, 1, 0, 0, 1);
        assertThat(trilMask(2, 2, 0).dtype()).isEqualTo(DType.BOOL);
        assertThatThrownBy(() -> tensor(1, 2).tril(0))
                .hasMessageStartingWith("tril: needs matrices");
    }

    @Test
    void sequences() {
        assertThat(arange(4).toInts()).containsExactly(0, 1, 2, 3);
        assertThat(arange(2, 9, 3).toInts()).containsExactly(2, 5, 8);
        assertThat(arange(3, 0, -1).toInts()).containsExactly(3, 2, 1);
        assertThat(arange(3, 1, 1).toInts()).isEmpty();
        assertThat(linspace(-1, 1, 5).toFloats()).containsExactly(-1, -0.5f, 0, 0.5f, 1);
        assertThat(linspace(3, 4, 1).toFloats()).containsExactly(3);
        assertThat(eye(2).toFloats()).containsExactly(1, 0, 0, 1);
        assertThatThrownBy(() -> arange(0, 3, 0)).hasMessageContaining("the step is zero");
    }

    @Test
    void windowsShareTheirElements() {
        Tensor x = counted(6);
        Tensor windows = x.unfold(0, 3, 2, 1);
        assertThat(windows.toFloats()).containsExactly(0, 1, 2, 2, 3, 4);
        assertThat(windows.storage()).isSameAs(x.storage());
        assertThatThrownBy(() -> x.unfold(0, 4, 1, 2))
                .hasMessageContaining("a window no longer than 6");
    }

    @ParameterizedTest
    @CsvSource({
        "1,0,1,1", "2,1,1,1", "1,2,2,1", "3,2,1,2", "1,1,1,4", "2,3,2,2",
    })
    void convolutionIsWhatItsSumSays(int stride, int padding, int dilation, int groups) {
        Tensor x = randn(rng, 2, 4, 11);
        Tensor weight = randn(rng, 8, 4 / groups, 3);
        Tensor bias = randn(rng, 8);
        Tensor y = conv1d(x, weight, bias, stride, padding, dilation, groups);
        int length = (11 + 2 * padding - dilation * 2 - 1) / stride + 1;
        assertThat(y.shape()).isEqualTo(Shape.of(2, 8, length));
        int inner = 4 / groups;
        for (int b = 0; b < 2; b++) {
            for (int o = 0; o < 8; o++) {
                for (int l = 0; l < length; l++) {
                    double sum = bias.at(o);
                    for (int c = 0; c < inner; c++) {
                        for (int k = 0; k < 3; k++) {
                            int t = l * stride + k * dilation - padding;
                            if (t >= 0 && t < 11) {
                                int channel = o / (8 / groups) * inner + c;
                                sum += x.at(b, channel, t) * weight.at(o, c, k);
                            }
                        }
                    }
                    assertThat(y.at(b, o, l)).isCloseTo(sum, within(1e-4));
                }
            }
        }
        double error =
                GradCheck.maxError(
                        in -> {
                            Tensor r =
                                    conv1d(in[0], in[1], in[2], stride, padding, dilation, groups);
                            return new Tensor[] {r.square()};
                        },
                        new Tensor[] {x, weight, bias},
                        new boolean[] {true, true, true});
        assertThat(error).isLessThan(1e-6);
    }

    @Test
    void convolutionExplainsWhatIsWrong() {
        assertThatThrownBy(() -> conv1d(ones(1, 4, 9), ones(6, 3, 3), null, 1, 0, 1, 1))
                .isInstanceOf(ShapeException.class)
                .hasMessage(
                        "conv1d: operands do not fit; got x f32[1,4,9], weight f32[6,3,3], groups 1;"
                                + " expected x [B,C,T] and weight [O,C/groups,K] with O a multiple of"
                                + " groups");
        assertThatThrownBy(() -> conv1d(ones(1, 3, 9), ones(6, 3, 3), ones(5), 1, 0, 1, 1))
                .hasMessage("conv1d: bias does not fit; got f32[5]; expected [6]");
    }
}
