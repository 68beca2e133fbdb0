package io.github.panagrad.engine;

import static io.github.panagrad.engine.Ops.noGrad;
import static io.github.panagrad.engine.Ops.ones;
import static io.github.panagrad.engine.Ops.parameter;
import static io.github.panagrad.engine.Ops.randn;
import static io.github.panagrad.engine.Ops.rmsNorm;
import static io.github.panagrad.engine.Ops.scope;
import static io.github.panagrad.engine.Ops.silu;
import static io.github.panagrad.engine.Ops.softmax;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.ground.Rng;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ScopeTest {
    private final int threads = Parallel.threads();

    /// How many threads hold a scratch array at a time is chance, and memory is compared here.
    @BeforeEach
    void onOneThread() {
        Parallel.setThreads(1);
    }

    @AfterEach
    void onAllThreads() {
        Parallel.setThreads(threads);
    }

    @Test
    void useAfterReleaseNamesTheScope() {
        var leaked = new Tensor[1];
        Scope.scope(
                "layer 3",
                () -> {
                    leaked[0] = ones(3).add(1);
                    return null;
                });
        assertThatThrownBy(() -> leaked[0].add(1))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        "affine: operand used after release; got f32[3], released by scope"
                                + " 'layer 3'; return it from the scope or call keep() on it");
        assertThatThrownBy(() -> leaked[0].toFloats()).hasMessageContaining("scope 'layer 3'");
        assertThatThrownBy(() -> leaked[0].item()).isInstanceOf(PanagradException.class);
        assertThatThrownBy(() -> leaked[0].narrow(0, 0, 1))
                .hasMessageContaining("used after release");
    }

    @Test
    void whatIsReturnedSurvives() {
        Tensor one = scope(() -> ones(2).add(1));
        Tensor[] array = scope(() -> new Tensor[] {ones(2).add(1)});
        List<Tensor> list = scope(() -> List.of(ones(2).add(1)));
        Map<String, Tensor> map = scope(() -> Map.of("x", ones(2).add(1)));
        Tensor view = scope(() -> ones(2, 2).add(1).transpose().narrow(0, 0, 1));
        for (Tensor t : List.of(one, array[0], list.getFirst(), map.get("x"), view)) {
            assertThat(t.toFloats()).containsOnly(2f);
        }
    }

    @Test
    void gradientsAreReturnedWhole() {
        Parameter w = parameter("w", ones(4));
        Grads grads = scope(() -> silu(w.mul(3)).sum().backward());
        assertThat(grads.get(w).toFloats()).hasSize(4).doesNotContain(0);
    }

    @Test
    void whatIsKeptSurvivesAllScopes() {
        var kept = new Tensor[1];
        scope(() ->
                scope(() -> {
                    kept[0] = ones(2).add(1).keep();
                }));
        assertThat(kept[0].toFloats()).containsOnly(2f);
    }

    @Test
    void whatIsReturnedBelongsToTheNextScope() {
        var leaked = new Tensor[1];
        scope(() -> {
            leaked[0] = scope(() -> ones(2).add(1));
            assertThat(leaked[0].toFloats()).containsOnly(2f);
        });
        assertThatThrownBy(() -> leaked[0].toFloats()).isInstanceOf(PanagradException.class);
    }

    @Test
    void whatBackwardNeedsSurvives() {
        Tensor x = ones(4).requireGrad();
        Tensor loss = scope(() -> silu(silu(x.mul(2))).sum());
        float[] expected = silu(silu(x.mul(2))).sum().backward().get(x).toFloats();
        assertThat(loss.backward().get(x).toFloats()).isEqualTo(expected);
    }

    @Test
    void deadEndsLetGoOfWhatTheySaved() {
        Tensor x = ones(4).requireGrad();
        var dead = new Tensor[1];
        Tensor alive =
                scope(() -> {
                    Tensor trunk = silu(x.mul(2));
                    dead[0] = trunk.exp();
                    dead[0].sum();
                    return silu(trunk);
                });
        assertThat(dead[0].storage().isReleased()).isTrue();
        float[] expected = silu(silu(x.mul(2))).sum().backward().get(x).toFloats();
        assertThat(alive.sum().backward().get(x).toFloats()).isEqualTo(expected);
    }

    @Test
    void keptTensorsKeepTheirHistory() {
        Tensor x = ones(4).requireGrad();
        var kept = new Tensor[1];
        scope(() ->
                scope(() -> {
                    kept[0] = silu(x.mul(2)).square().keep();
                }));
        assertThat(kept[0].sum().backward().get(x).toFloats())
                .isEqualTo(silu(x.mul(2)).square().sum().backward().get(x).toFloats());
    }

    @Test
    void manyNodesInOneScope() {
        Tensor x = ones(4).requireGrad();
        scope(() -> {
            Tensor y = x;
            for (int i = 0; i < 3000; i++) {
                y = y.square();
                if (i % 100 == 0) {
                    y.sum().backward();
                    y = x;
                }
            }
            assertThat(y.sum().backward().get(x).size()).isEqualTo(4);
        });
    }

    @Test
    void aFailureReleasesToo() {
        var leaked = new Tensor[1];
        assertThatThrownBy(() ->
                        scope(() -> {
                            leaked[0] = ones(2).add(1);
                            throw new IllegalStateException("stop");
                        }))
                .hasMessage("stop");
        assertThatThrownBy(() -> leaked[0].toFloats()).isInstanceOf(PanagradException.class);
    }

    @Test
    void parametersStay() {
        Parameter w = scope(() -> parameter("w", ones(2).add(1)));
        var hidden = new Parameter[1];
        scope(() -> {
            hidden[0] = parameter("v", ones(2).add(1));
        });
        assertThat(w.toFloats()).containsOnly(2f);
        assertThat(hidden[0].toFloats()).containsOnly(2f);
    }

    @Test
    void memoryIsFlatOverHundredSteps() {
        Rng rng = Rng.of(1);
        Tensor input = randn(rng, 16, 32);
        Parameter gain = parameter("gain", ones(32));
        Parameter up = parameter("up", randn(rng, 32, 64));
        Parameter down = parameter("down", randn(rng, 64, 32));
        Runnable step =
                () ->
                        scope(() -> {
                            Tensor x = rmsNorm(input, gain, 1e-5);
                            Tensor hidden = scope(() -> silu(x.matmul(up)));
                            Tensor y = softmax(hidden.matmul(down), -1).add(input);
                            Tensor unused = y.exp().sum();
                            Grads grads = y.square().mean().backward().clipNorm(1.0);
                            noGrad(() -> {
                                for (Parameter p : List.of(gain, up, down)) {
                                    p.assign(p.sub(grads.get(p).mul(1e-3)));
                                }
                                return null;
                            });
                            assertThat(unused.item()).isPositive();
                        });
        for (int i = 0; i < 5; i++) {
            step.run();
        }
        long before = Pool.floats().freshBytes();
        for (int i = 0; i < 100; i++) {
            step.run();
        }
        assertThat(Pool.floats().freshBytes()).as("bytes ever allocated").isEqualTo(before);
    }
}
