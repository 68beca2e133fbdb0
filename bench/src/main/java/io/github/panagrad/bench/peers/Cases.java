package io.github.panagrad.bench.peers;

import io.github.panagrad.bench.peers.Case.Measure;
import io.github.panagrad.engine.ground.DType;
import java.util.ArrayList;
import java.util.List;

/// The rows of the tables, with what is owed (floor) and wanted (aim).
final class Cases {
    static final String MKL = "MKL";
    static final String OPENBLAS = "OpenBLAS";
    static final String LIBTORCH = "libtorch";
    static final String LIBTORCH_OPENBLAS = "libtorch-openblas";

    private static final int[] WIDTHS = {288, 768, 3072};

    private Cases() {}

    /// Returns all rows in the order of the tables.
    ///
    /// @param threads of the rows that use several
    static List<Case> all(int threads) {
        var cases = new ArrayList<Case>();
        products(cases, threads);
        stored(cases);
        functions(cases);
        models(cases, threads);
        memory(cases);
        return List.copyOf(cases);
    }

    /// Tells whether a peer is a build of libtorch, of which a process can hold one.
    static boolean isLibtorch(String peer) {
        return peer.startsWith(LIBTORCH);
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

    private static void stored(List<Case> cases) {
        String family =
                "matrix-vector product, 32000 × 768, stored weights against our own F32, 1 thread";
        stored(cases, family, "bf16", DType.BF16, 1.25, 1.8);
        stored(cases, family, "int8", DType.Q8, 2.0, 3.0);
        stored(cases, family, "4-bit", DType.NF4, 2.0, 4.0);
    }

    private static void stored(
            List<Case> cases, String family, String name, DType type, double floor, double aim) {
        var p = new Problem.MatVec(type, 32000, 768);
        cases.add(
                new Case(
                        "matvec/" + name,
                        family,
                        p,
                        OwnF32.NAME,
                        1,
                        Measure.TIME,
                        floor,
                        aim,
                        1e-4));
    }

    private static void memory(List<Case> cases) {
        String extra = "memory beside inputs and gradients: linear + cross-entropy";
        for (int width : new int[] {288, 768}) {
            String name = "memory/linear-cross-entropy/D" + width;
            memory(cases, name, extra, new Problem.Head(1024, 32000, width), 0.2, 0.1);
        }
        String whole =
                "peak memory of the full training step, weights and optimizer state included";
        memory(cases, "memory/step/full", whole, step(0), 0.6, 0.4);
    }

    private static void memory(
            List<Case> cases,
            String name,
            String family,
            Problem problem,
            double floor,
            double aim) {
        cases.add(new Case(name, family, problem, LIBTORCH, 1, Measure.MEMORY, floor, aim, 0));
    }

    private static void functions(List<Case> cases) {
        String head =
                "linear + cross-entropy, 1024 tokens, V = 32000, forward + backward, 1 thread";
        for (int width : new int[] {288, 768}) {
            var p = new Problem.Head(1024, 32000, width);
            time(cases, "linear-cross-entropy/D" + width, head, p, 1, 1.1, 1.5, 1e-4);
        }
        String attention = "causal attention, forward + backward, 1 thread";
        attend(cases, "attention/T256", attention, new Problem.Attend(4, 256, 6, 48));
        attend(cases, "attention/T1024", attention, new Problem.Attend(1, 1024, 6, 48));
        attend(cases, "attention/T4096", attention, new Problem.Attend(1, 4096, 6, 48));
        attend(cases, "attention/T1024-D64", attention, new Problem.Attend(1, 1024, 6, 64));
        String rows = "rows and elements, 1024 × 768, forward + backward, 1 thread";
        for (Problem.Function function : Problem.Function.values()) {
            var p = new Problem.Rows(function, 1024, 768);
            time(cases, function.label(), rows, p, 1, 1.0, 2.0, 1e-4);
        }
        var update = new Problem.Update(Llama.STORIES_15M);
        time(
                cases,
                "adamw",
                "AdamW step of 15 million parameters, 1 thread",
                update,
                1,
                1.0,
                2.0,
                1e-5);
    }

    private static void attend(List<Case> cases, String name, String family, Problem.Attend p) {
        time(cases, name, family, p, 1, 0.9, 1.5, 1e-4);
    }

    private static void models(List<Case> cases, int threads) {
        String step = "training step of stories15m's sizes, batch 4 × 256, clipping, AdamW";
        for (int n : new int[] {1, threads}) {
            String kind = n == 1 ? "step" : "step" + n;
            time(cases, kind + "/full", step, step(0), n, 1.0, 1.5, 1e-3);
            time(cases, kind + "/lora", step, step(8), n, 1.3, 2.0, 1e-3);
        }
        var decode = new Problem.Decode(Llama.STORIES_15M, 16, 128);
        String decoding =
                "greedy decoding of 128 tokens after 16, key-value cache, stories15m's sizes";
        time(cases, "decode", decoding, decode, 1, 1.5, 3.0, 0);
        time(cases, "decode" + threads, decoding, decode, threads, 1.5, 3.0, 0);
    }

    private static Problem.Step step(int rank) {
        return new Problem.Step(Llama.STORIES_15M, 4, 256, rank);
    }

    /// Adds a row for each build of libtorch; with several threads, the pools of the OpenBLAS build
    /// spin against each other, so that it is no measure of anything.
    private static void time(
            List<Case> cases,
            String name,
            String family,
            Problem problem,
            int threads,
            double floor,
            double aim,
            double tolerance) {
        for (String peer :
                threads == 1 ? List.of(LIBTORCH, LIBTORCH_OPENBLAS) : List.of(LIBTORCH)) {
            cases.add(
                    new Case(
                            name,
                            family,
                            problem,
                            peer,
                            threads,
                            Measure.TIME,
                            floor,
                            aim,
                            tolerance));
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
