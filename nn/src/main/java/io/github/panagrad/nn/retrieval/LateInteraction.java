package io.github.panagrad.nn.retrieval;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.nn.models.SentenceEmbedder;

/// Scores texts token by token: each token of a query looks for the nearest one of a document, and the
/// cosines found add up.
///
/// Source: Khattab and Zaharia 2020, ColBERT, arXiv 2004.12832, eq. 3.
public final class LateInteraction {
    /// Far below all cosines, and finite, so that no row yields NaN.
    private static final double HIDDEN = -1e9;

    private LateInteraction() {}

    /// Computes the scores of all queries with all documents, Σ over the query's tokens of the largest
    /// cosine with a token of the document.
    ///
    /// Shapes: queries (Q, T, C), queryMask (Q, T), documents (D, S, C), documentMask (D, S) → (Q, D).
    ///
    /// @param queryMask 1 for tokens of a query, 0 for padding
    /// @param documentMask 1 for tokens of a document, 0 for padding; each row has a token
    public static Tensor maxSim(
            Tensor queries, Tensor queryMask, Tensor documents, Tensor documentMask) {
        requireFit(queries, queryMask);
        requireFit(documents, documentMask);
        if (queries.dim(2) != documents.dim(2)) {
            throw new ShapeException(
                    "maxSim",
                    "states differ in width",
                    queries.spec() + " and " + documents.spec(),
                    "[Q, T, C] and [D, S, C]",
                    "are both of the same encoder?");
        }
        int q = queries.dim(0);
        int t = queries.dim(1);
        int d = documents.dim(0);
        int s = documents.dim(1);
        Tensor left = SentenceEmbedder.normalised(queries).reshape(q * t, queries.dim(2));
        Tensor right = SentenceEmbedder.normalised(documents).reshape(d * s, documents.dim(2));
        Tensor hidden =
                documentMask
                        .to(queries.dtype())
                        .to(queries.device())
                        .sub(1)
                        .mul(-HIDDEN)
                        .reshape(1, d, s);
        Tensor best =
                left.matmul(right.transpose()).reshape(q * t, d, s).add(hidden).max(-1, false);
        Tensor counted = queryMask.to(queries.dtype()).to(queries.device()).reshape(q, t, 1);
        return best.reshape(q, t, d).mul(counted).sum(1, false);
    }

    private static void requireFit(Tensor states, Tensor mask) {
        if (states.rank() != 3
                || mask.rank() != 2
                || mask.dim(0) != states.dim(0)
                || mask.dim(1) != states.dim(1)) {
            throw new ShapeException(
                    "maxSim",
                    "states and mask do not fit",
                    states.spec() + " and " + mask.spec(),
                    "[N, T, C] and [N, T]",
                    "");
        }
    }
}
