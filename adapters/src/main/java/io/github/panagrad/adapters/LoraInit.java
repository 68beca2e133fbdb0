package io.github.panagrad.adapters;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.layers.Linear;

/// How the factors of a low-rank detour begin.
///
/// Some begin with a part of the weight itself. That part is then subtracted in the forward pass, so
/// that the weight stays as it is and the model starts unchanged.
public interface LoraInit {
    /// Makes the factors of one layer.
    ///
    /// @param path the layer's path
    /// @param base the layer
    /// @param rank r
    /// @param scale what the detour is multiplied by
    Factors factors(String path, Linear base, int rank, double scale, Rng rng);

    /// Tells whether the product of the first factors is subtracted from that of the trained ones.
    default boolean subtractsStart() {
        return false;
    }

    /// The first factors.
    ///
    /// Shapes: a (r, in), b (out, r).
    ///
    /// @param a A, which is applied first
    /// @param b B
    record Factors(Tensor a, Tensor b) {}

    /// Draws A from Kaiming's uniform distribution, ±1/√in; B is zero. PEFT's default.
    static LoraInit kaimingUniform() {
        return zeroUp("kaiming-uniform", Init.kaimingUniform(Math.sqrt(5)));
    }

    /// Draws A from a normal distribution of deviation 1/r; B is zero (Hu et al., arXiv 2106.09685,
    /// as in PEFT).
    static LoraInit gaussian() {
        return new LoraInit() {
            @Override
            public Factors factors(String path, Linear base, int rank, double scale, Rng rng) {
                return zeroUp(base, Init.normal(0, 1.0 / rank), rank, rng);
            }

            @Override
            public String toString() {
                return "gaussian";
            }
        };
    }

    /// Draws A and B from the even and the odd rows of one orthogonal matrix: both are there from the
    /// start, and their product is zero. As in PEFT; the rank must be even.
    static LoraInit orthogonal() {
        return new LoraInit() {
            @Override
            public Factors factors(String path, Linear base, int rank, double scale, Rng rng) {
                return OrthogonalFactors.draw(path, base, rank, rng);
            }

            @Override
            public String toString() {
                return "orthogonal";
            }
        };
    }

    /// Begins with the r largest singular components of the weight (PiSSA, Meng et al.,
    /// arXiv 2404.02948).
    static LoraInit pissa() {
        return new ComponentInit("pissa", (path, w) -> w.principal());
    }

    /// Begins with the first r columns of Q and rows of R of the weight's QR decomposition (OLoRA,
    /// Büyükakyüz, arXiv 2406.01775).
    static LoraInit olora() {
        return new ComponentInit("olora", (path, w) -> w.orthonormal());
    }

    /// Begins with the r components of the weight that matter most to some inputs (CorDA,
    /// instruction-previewed mode; Yang et al., arXiv 2406.05223).
    ///
    /// @param inputs what the layers see on the data of the task to come
    static LoraInit cordaInstructionPreviewed(Covariances inputs) {
        return new ComponentInit("corda-ipm", (path, w) -> w.oriented(inputs.of(path), false));
    }

    /// Begins with the r components of the weight that matter least to some inputs, which are
    /// therefore kept (CorDA, knowledge-preserved mode; Yang et al., arXiv 2406.05223).
    ///
    /// @param inputs what the layers see on data whose knowledge is to be kept
    static LoraInit cordaKnowledgePreserved(Covariances inputs) {
        return new ComponentInit("corda-kpm", (path, w) -> w.oriented(inputs.of(path), true));
    }

    /// Begins with the directions in which a layer's inputs vary most; B is zero (EVA, Paischer et al.,
    /// arXiv 2410.07170, without its redistribution of ranks, for which see [Eva#ranks]).
    ///
    /// @param inputs what the layers see on the data of the task to come
    static LoraInit eva(Covariances inputs) {
        return new LoraInit() {
            @Override
            public Factors factors(String path, Linear base, int rank, double scale, Rng rng) {
                return new Factors(
                        inputs.directions(path, rank),
                        Init.zeros().draw(Shape.of(base.out(), rank), rng));
            }

            @Override
            public String toString() {
                return "eva";
            }
        };
    }

    private static LoraInit zeroUp(String name, Init down) {
        return new LoraInit() {
            @Override
            public Factors factors(String path, Linear base, int rank, double scale, Rng rng) {
                return zeroUp(base, down, rank, rng);
            }

            @Override
            public String toString() {
                return name;
            }
        };
    }

    private static Factors zeroUp(Linear base, Init down, int rank, Rng rng) {
        return new Factors(
                down.draw(Shape.of(rank, base.in()), rng),
                Init.zeros().draw(Shape.of(base.out(), rank), rng));
    }

    /// Checks that a weight has so many components.
    static void requireRank(String path, Linear base, int rank) {
        int most = Math.min(base.in(), base.out());
        if (rank > most) {
            throw new PanagradException(
                    "lora",
                    "rank beyond that of the weight at " + path,
                    "" + rank,
                    "at most " + most,
                    "");
        }
    }
}
