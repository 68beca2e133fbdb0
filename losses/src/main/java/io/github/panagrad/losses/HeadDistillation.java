package io.github.panagrad.losses;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.ShapeException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/// Divergences between two language models over a whole vocabulary, from their hidden states and
/// heads.
///
/// Tokens are taken in pieces. The logits of a piece are forgotten at once and computed again for
/// backward, so that memory is bounded by those of one piece however many tokens there are; the
/// price is a second product with each head. Gradients flow to the student only.
///
/// Shapes: N tokens, V entries of the vocabulary; the hidden states may differ in width.
///
/// ```java
/// Tensor loss =
///         HeadDistillation.perToken(
///                         hidden, head, theirs, theirHead, DistillOptions.DEFAULT.temperature(2))
///                 .mean();
/// ```
public final class HeadDistillation {
    private HeadDistillation() {}

    /// Computes the divergence of each token, as [DistributionLosses] defines it, times T².
    ///
    /// With classes left out it is the masked sum of [DistributionLosses#maskedKl].
    ///
    /// Shapes: student (N, C), studentHead (V, C), teacher (N, D), teacherHead (V, D) → (N).
    public static Tensor perToken(
            Tensor student,
            Tensor studentHead,
            Tensor teacher,
            Tensor teacherHead,
            DistillOptions options) {
        requireFit(student, studentHead);
        requireFit(teacher, teacherHead);
        int tokens = student.dim(0);
        int vocabulary = studentHead.dim(0);
        if (teacher.dim(0) != tokens || teacherHead.dim(0) != vocabulary) {
            throw new ShapeException(
                    "distillation",
                    "student and teacher do not fit",
                    student.spec()
                            + " × "
                            + studentHead.spec()
                            + " and "
                            + teacher.spec()
                            + " × "
                            + teacherHead.spec(),
                    "as many tokens, and the same vocabulary",
                    "do both models have the same tokenizer?");
        }
        Tensor theirs = teacher.detach();
        Tensor theirHead = teacherHead.detach();
        int piece = pieceSize(vocabulary, student, options.memoryBudget());
        return pieces(
                tokens,
                piece,
                at -> {
                    int n = Math.min(piece, tokens - at);
                    Tensor constant = theirs.narrow(0, at, n);
                    return Ops.checkpoint(
                            mine ->
                                    divergence(
                                            Ops.linear(mine, studentHead, null),
                                            Ops.linear(constant, theirHead, null),
                                            options),
                            student.narrow(0, at, n));
                });
    }

    /// Computes what probability each token's softmax gives to some entries of the vocabulary
    /// together, as constants.
    ///
    /// Shapes: hidden (N, C), head (V, C), classes (V) → (N).
    ///
    /// @param classes 1 for entries that count, 0 for others
    /// @param memoryBudget how many bytes of logits may exist at a time
    public static Tensor mass(Tensor hidden, Tensor head, Tensor classes, long memoryBudget) {
        requireFit(hidden, head);
        int tokens = hidden.dim(0);
        int piece = pieceSize(head.dim(0), hidden, memoryBudget);
        return Ops.noGrad(() ->
                pieces(
                        tokens,
                        piece,
                        at -> {
                            int n = Math.min(piece, tokens - at);
                            Tensor logits = Ops.linear(hidden.narrow(0, at, n), head, null);
                            return Ops.softmax(logits, -1).mul(classes).sum(-1, false);
                        }));
    }

    private static Tensor divergence(Tensor student, Tensor teacher, DistillOptions options) {
        double t = options.temperature();
        Tensor mine = t == 1 ? student : student.div(t);
        Tensor theirs = t == 1 ? teacher : teacher.div(t);
        Tensor classes = options.classes();
        Tensor rows =
                switch (options.direction()) {
                    case FORWARD ->
                            classes == null
                                    ? DistributionLosses.forwardKl(mine, theirs)
                                    : DistributionLosses.maskedKl(mine, theirs, classes);
                    case REVERSE -> DistributionLosses.reverseKl(mine, theirs);
                    case SYMMETRIC -> DistributionLosses.jensenShannon(mine, theirs);
                };
        return rows.mul(t * t);
    }

    private static Tensor pieces(int tokens, int piece, IntFunction<Tensor> compute) {
        List<Tensor> parts = new ArrayList<>();
        for (int at = 0; at < tokens; at += piece) {
            int from = at;
            parts.add(Ops.scope(() -> compute.apply(from)));
        }
        return parts.size() == 1 ? parts.getFirst() : Ops.concat(0, parts.toArray(Tensor[]::new));
    }

    private static int pieceSize(int vocabulary, Tensor hidden, long memoryBudget) {
        long row = (long) vocabulary * hidden.dtype().bytes();
        return Math.clamp(memoryBudget / row, 1, Integer.MAX_VALUE);
    }

    private static void requireFit(Tensor hidden, Tensor head) {
        if (hidden.rank() != 2
                || head.rank() != 2
                || hidden.dim(1) != head.dim(1)
                || hidden.dim(0) == 0) {
            throw new ShapeException(
                    "distillation",
                    "hidden states and head do not fit",
                    hidden.spec() + " and " + head.spec(),
                    "[N, C] and [V, C], at least one token",
                    "");
        }
    }
}
