package io.github.panagrad.engine.cpu;

/// Attention as its definition says, in double precision, with all scores in memory.
final class AttentionOracle {
    final double[] out;
    final double[] lse;
    final double[] dq;
    final double[] dk;
    final double[] dv;
    private final AttentionProblem p;

    /// Computes outputs and gradients; all arrays are dense [B, T, H, D], lse [B, H, T].
    AttentionOracle(AttentionProblem p, float[] q, float[] k, float[] v, float[] dout) {
        this.p = p;
        out = new double[q.length];
        lse = new double[p.batch() * p.heads() * p.queries()];
        dq = new double[q.length];
        dk = new double[k.length];
        dv = new double[v.length];
        for (int b = 0; b < p.batch(); b++) {
            for (int h = 0; h < p.heads(); h++) {
                for (int t = 0; t < p.queries(); t++) {
                    query(b, h, t, q, k, v, dout);
                }
            }
        }
    }

    private int queryAt(int b, int t, int h) {
        return ((b * p.queries() + t) * p.heads() + h) * p.dim();
    }

    private int keyAt(int b, int j, int h) {
        return ((b * p.keys() + j) * p.kvHeads() + h / (p.heads() / p.kvHeads())) * p.dim();
    }

    boolean sees(int b, int t, int j) {
        int position = t + p.keys() - p.queries();
        return !(p.causal() && j > position)
                && !(p.window() > 0 && j <= position - p.window())
                && !(p.keyMask() != null && p.keyMask()[p.keyMaskOffset() + b * p.keys() + j] == 0)
                && !(p.segments() != null
                        && p.segments()[p.segmentsOffset() + b * p.keys() + j]
                                != p.segments()[p.segmentsOffset() + b * p.keys() + position]);
    }

    private void query(int b, int h, int t, float[] q, float[] k, float[] v, float[] dout) {
        int at = queryAt(b, t, h);
        double[] s = new double[p.keys()];
        double max = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < s.length; j++) {
            s[j] = Double.NEGATIVE_INFINITY;
            if (sees(b, t, j)) {
                s[j] = 0;
                for (int d = 0; d < p.dim(); d++) {
                    s[j] += (double) p.scale() * q[at + d] * k[keyAt(b, j, h) + d];
                }
            }
            max = Math.max(max, s[j]);
        }
        int row = (b * p.heads() + h) * p.queries() + t;
        if (max == Double.NEGATIVE_INFINITY) {
            lse[row] = max;
            return;
        }
        double sum = 0;
        for (double x : s) {
            sum += Math.exp(x - max);
        }
        lse[row] = max + Math.log(sum);
        double delta = 0;
        double[] dp = new double[s.length];
        for (int j = 0; j < s.length; j++) {
            double w = Math.exp(s[j] - lse[row]);
            for (int d = 0; d < p.dim(); d++) {
                out[at + d] += w * v[keyAt(b, j, h) + d];
                dv[keyAt(b, j, h) + d] += w * dout[at + d];
                dp[j] += (double) dout[at + d] * v[keyAt(b, j, h) + d];
            }
            delta += w * dp[j];
        }
        for (int j = 0; j < s.length; j++) {
            double ds = Math.exp(s[j] - lse[row]) * (dp[j] - delta) * p.scale();
            for (int d = 0; d < p.dim(); d++) {
                dq[at + d] += ds * k[keyAt(b, j, h) + d];
                dk[keyAt(b, j, h) + d] += ds * q[at + d];
            }
        }
    }
}
