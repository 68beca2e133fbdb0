package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.cpu.Gemm;
import java.util.List;

/// Our matrix product on arrays.
final class OwnSgemm implements Side {
    private final Problem.Sgemm p;
    private final float[] a;
    private final float[] b;
    private final float[] c;
    private final int lda;
    private final int ldb;

    OwnSgemm(Problem.Sgemm p) {
        this.p = p;
        a = Inputs.normal("a", p.m() * p.k());
        b = Inputs.normal("b", p.k() * p.n());
        c = new float[p.m() * p.n()];
        lda = p.transA() ? p.m() : p.k();
        ldb = p.transB() ? p.k() : p.n();
    }

    @Override
    public void run() {
        Gemm.sgemm(
                p.transA(),
                p.transB(),
                p.m(),
                p.n(),
                p.k(),
                a,
                0,
                lda,
                b,
                0,
                ldb,
                c,
                0,
                p.n(),
                false);
    }

    @Override
    public List<float[]> results() {
        run();
        return List.of(c);
    }
}
