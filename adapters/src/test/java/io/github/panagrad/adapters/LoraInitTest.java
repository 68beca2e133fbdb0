package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.linalg.Decompositions;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How the factors begin, and what is known of the inputs for it.
class LoraInitTest {
    private static final String TARGET = "model.layers.0.mlp.up_proj";
    private static final Linear LAYER = new Linear(64, 48, Rng.of(1));

    private static LoraInit.Factors draw(LoraInit init) {
        return init.factors(TARGET, LAYER, 16, 1, Rng.of(2));
    }

    @Test
    void drawsAFromTheNamedDistribution() {
        LoraInit.Factors kaiming = draw(LoraInit.kaimingUniform());
        assertThat(kaiming.a().abs().max().item()).isBetween(0.12, 1 / Math.sqrt(64));
        assertThat(kaiming.b().abs().max().item()).isZero();
        LoraInit.Factors gaussian = draw(LoraInit.gaussian());
        double deviation = Math.sqrt(gaussian.a().square().mean().item());
        assertThat(deviation).isCloseTo(1 / 16.0, offset(0.005));
        assertThat(gaussian.a().mean().item()).isCloseTo(0, offset(0.005));
        assertThat(gaussian.b().abs().max().item()).isZero();
    }

    @Test
    void drawsOrthogonalFactorsThatCancel() {
        LoraInit.Factors factors = draw(LoraInit.orthogonal());
        assertThat(factors.a().abs().mean().item()).isGreaterThan(0.01);
        assertThat(factors.b().abs().mean().item()).isGreaterThan(0.01);
        assertThat(factors.b().matmul(factors.a()).abs().max().item()).isLessThan(1e-13);
    }

    @Test
    void takesOrthonormalColumnsForOlora() {
        LoraInit.Factors factors = draw(LoraInit.olora());
        Tensor b = factors.b();
        double off = b.transpose().matmul(b).sub(Ops.eye(16).to(b.dtype())).abs().max().item();
        assertThat(off).isLessThan(1e-12);
        double[] a = factors.a().toDoubles();
        for (int i = 0; i < 16; i++) {
            for (int j = 0; j < i; j++) {
                assertThat(a[i * 64 + j]).isZero();
            }
        }
    }

    @Test
    void beginsEvaWithTheRightSingularVectorsOfTheInputs() {
        var model = TinyModel.create();
        Linear layer = (Linear) model.module(TARGET);
        Tensor x = Ops.randn(Rng.of(3), 40, layer.in());
        var inputs = Covariances.collect(model, TARGET, () -> layer.call(x));
        LoraInit.Factors factors = LoraInit.eva(inputs).factors(TARGET, layer, 4, 1, Rng.of(0));
        var svd = Decompositions.svd(x.toDoubles(), 40, layer.in());
        double[] a = factors.a().toDoubles();
        double total = 0;
        for (double s : svd.s()) {
            total += s * s;
        }
        double[] explained = inputs.explained(TARGET);
        for (int k = 0; k < 4; k++) {
            // Each vector is known but for its sign.
            double sign = Math.signum(a[k * layer.in()] * svd.vt()[k * layer.in()]);
            for (int i = 0; i < layer.in(); i++) {
                int at = k * layer.in() + i;
                assertThat(a[at]).isCloseTo(sign * svd.vt()[at], offset(1e-8));
            }
            assertThat(explained[k]).isCloseTo(svd.s()[k] * svd.s()[k] / total, offset(1e-12));
        }
        assertThat(factors.b().abs().max().item()).isZero();
        assertThatThrownBy(() -> inputs.directions(TARGET, 17)).hasMessageContaining("at most 16");
    }

    @Test
    void sumsInputsInF64WhateverTheirChunks() {
        var model = TinyModel.create();
        Linear layer = (Linear) model.module(TARGET);
        int n = layer.in();
        Tensor x = Ops.randn(Rng.of(4), 30, n);
        var whole = new CovarianceSum(n);
        whole.add(x);
        var chunks = new CovarianceSum(n);
        chunks.add(x.narrow(0, 0, 11).reshape(1, 11, n));
        chunks.add(x.narrow(0, 11, 19));
        assertThat(chunks.upper()).isEqualTo(whole.upper());

        double[] values = x.toDoubles();
        double[] products = new double[n * n];
        double mean = 0;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                for (int t = 0; t < 30; t++) {
                    products[i * n + j] += values[t * n + i] * values[t * n + j];
                }
            }
            mean += products[i * n + i] / n;
        }
        double[] normalized = whole.normalized();
        for (int i = 0; i < products.length; i++) {
            assertThat(normalized[i]).isCloseTo(products[i] / mean, offset(1e-10));
        }
    }

    @Test
    void savesAndLoadsWhatWasCollected(@TempDir Path folder) {
        Covariances inputs = LowRankMethods.inputs();
        Path file = folder.resolve("inputs.safetensors");
        inputs.save(file);
        Covariances back = Covariances.load(file);
        assertThat(back.paths()).containsExactlyInAnyOrderElementsOf(inputs.paths());
        for (String path : inputs.paths()) {
            assertThat(back.tokens(path)).isEqualTo(inputs.tokens(path));
            assertThat(back.of(path).matrix()).isEqualTo(inputs.of(path).matrix());
        }
        TensorFiles.write(file, Map.of("weight", Ops.ones(3)), Map.of());
        assertThatThrownBy(() -> Covariances.load(file))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("tensor weight");
    }
}
