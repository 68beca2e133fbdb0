package io.github.panagrad.bench.peers;

import io.github.panagrad.bench.peers.Case.Measure;
import java.util.ArrayList;
import java.util.List;

/// The rows of the tables, with what is owed (floor) and wanted (aim).
final class Cases {
    static final String MKL = "MKL";
    static final String OPENBLAS = "OpenBLAS";
    static final String LIBTORCH = "libtorch";

    private static final int[] WIDTHS = {288, 768, 3072};

    private Cases() {}

    /// Returns all rows in the order of the tables.
    ///
    /// @param threads of the rows that use several
    static List<Case> all(int threads) {
        var cases = new ArrayList<Case>();
        products(cases, threads);
        return List.copyOf(cases);
    }

    private static void products(List<Case> cases, int threads) {
        String one = "matrix products, 1 thread";
        String several = "matrix products, " + threads + " threads";
        for (Problem.Sgemm p : shapes()) {
            boolean wide = p.n() == 32000;
            cases.add(sgemm("sgemm", p, one, MKL, 1, wide ? 0.80 : 0.85, 0.95));
            cases.add(sgemm("sgemm", p, one, OPENBLAS, 1, 0.95, 1.05));
            cases.add(sgemm("sgemm" + threads, p, several, MKL, threads, 0.78, 0.90));
        }
        for (int rows : new int[] {4, 8}) {
            for (int width : new int[] {288, 768}) {
                var p = new Problem.Sgemm(false, true, rows, width, width);
                cases.add(sgemm("few-rows", p, "few rows, 1 thread", MKL, 1, 1.5, 2.0));
            }
        }
    }

    /// Forms and sizes of the products: m × n × k.
    private static List<Problem.Sgemm> shapes() {
        var shapes = new ArrayList<Problem.Sgemm>();
        for (int n : WIDTHS) {
            for (int k : WIDTHS) {
                forms(shapes, 512, n, k);
            }
        }
        forms(shapes, 1024, 1024, 1024);
        forms(shapes, 512, 32000, 288);
        forms(shapes, 512, 32000, 768);
        return shapes;
    }

    private static void forms(List<Problem.Sgemm> shapes, int m, int n, int k) {
        shapes.add(new Problem.Sgemm(false, false, m, n, k));
        shapes.add(new Problem.Sgemm(false, true, m, n, k));
        shapes.add(new Problem.Sgemm(true, false, m, n, k));
    }

    private static Case sgemm(
            String kind,
            Problem.Sgemm p,
            String family,
            String peer,
            int threads,
            double floor,
            double aim) {
        String name = "%s/%s/%dx%dx%d".formatted(kind, p.form(), p.m(), p.n(), p.k());
        return new Case(name, family, p, peer, threads, Measure.TIME, floor, aim, 1e-4);
    }
}
