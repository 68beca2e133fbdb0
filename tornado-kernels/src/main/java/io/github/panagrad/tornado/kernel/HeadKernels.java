package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.LinearCrossEntropy;
import io.github.panagrad.engine.op.PerTokenHead;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.PanagradDevice;
import org.jspecify.annotations.Nullable;

/// The losses of a head over a vocabulary, with their gradients, and never all logits in memory.
final class HeadKernels {
    private static final int NONE = -1;

    private final PanagradDevice device;
    private final CopyKernels copies;
    private final Folds folds;
    private final HeadRows rows;
    private final HeadSweep.Tools tools;

    HeadKernels(PanagradDevice device, MatMulKernels products, CopyKernels copies, Folds folds) {
        this.device = device;
        this.copies = copies;
        this.folds = folds;
        rows = new HeadRows(device.programs());
        tools = new HeadSweep.Tools(device, products, new RowMoves(device.programs()), copies);
    }

    void register(KernelTable table) {
        table.add(
                LinearCrossEntropy.class,
                this::loss,
                (op, in) -> in.length == 4 && suits(in) && suits(op.options()));
        table.add(PerTokenHead.class, this::perToken, (op, in) -> suits(in));
        table.add(PerTokenHead.Grad.class, this::perTokenGradient, (op, in) -> suits(in));
    }

    private static boolean suits(View[] in) {
        boolean real = true;
        for (int i = 0; i < in.length; i++) {
            real &= i == 2 ? in[i].dtype() == DType.I32 : KernelTable.isReal(in[i]);
        }
        return real;
    }

    /// Tells whether the kernels know the options: filters that look at each entry alone and for both
    /// gradients, plain sums.
    private static boolean suits(HeadOptions options) {
        HeadFilter filter = options.filter();
        boolean known = filter.isEntrywise() && filter.hidden() && filter.weight();
        return (known || !filter.isOn())
                && !options.compensateHidden()
                && !options.compensateWeight();
    }

    /// The loss and the gradients it leaves for later, in one pass: three products.
    private void loss(LinearCrossEntropy op, View[] in, View[] out) {
        HeadOptions options = op.options();
        int n = in[0].dim(0);
        int next = 4;
        View dHidden = op.dHidden() ? out[next++] : null;
        View dWeight = op.dWeight() ? out[next] : null;
        boolean filtered = options.filter().isOn();
        // The filter reports what it drops, so it needs the gradient of the logits in any case.
        boolean wanted = dHidden != null || dWeight != null || filtered;
        int weights = Places.at(in[3]);
        DeviceStorage scratch = device.allocate(DType.F32, n);
        DeviceStorage dropped = filtered ? device.allocate(DType.F32, 2L * n) : null;
        int droppedAt = NONE;
        if (dropped != null) {
            droppedAt = dropped.at();
            copies.fill(droppedAt, 2 * n, 0);
        }
        int drops = droppedAt;
        int logSumExp = Places.at(out[3]);
        int cost = scratch.at();
        var results = new HeadRows.Results(logSumExp, Places.at(out[1]), cost, NONE, NONE);
        var incoming = new HeadRows.Incoming(weights, NONE, NONE, NONE);
        try (var sweep = new HeadSweep(tools, op.name(), options, in)) {
            sweep.run(
                    block -> {
                        rows.gather(block, options, results, weights);
                        if (wanted) {
                            rows.differentiate(
                                    block, options, false, logSumExp, incoming, drops, n);
                        }
                    },
                    dHidden,
                    dWeight);
            clearIgnored(sweep, options, results);
        }
        folds.run(Folds.SUM, cost, 1, n, 1, Places.at(out[0]));
        report(dropped, n, Places.at(out[2]));
        scratch.release("head");
    }

    /// Writes the share of the gradient that the filter dropped.
    private void report(@Nullable DeviceStorage dropped, int n, int to) {
        if (dropped == null) {
            copies.fill(to, 1, 0);
            return;
        }
        DeviceStorage sums = device.allocate(DType.F32, 2);
        folds.run(Folds.SUM, dropped.at(), 2, n, 1, sums.at());
        rows.divide(sums.at(), to);
        sums.release("head");
        dropped.release("head");
    }

    private void clearIgnored(HeadSweep sweep, HeadOptions options, HeadRows.Results results) {
        if (sweep.ignoresSome()) {
            rows.clearIgnored(sweep.tokens(), sweep.targets(), options.ignoreIndex(), results);
        }
    }

    private void perToken(PerTokenHead op, View[] in, View[] out) {
        HeadOptions options = op.options();
        var results =
                new HeadRows.Results(
                        Places.at(out[1]),
                        NONE,
                        Places.at(out[0]),
                        op.entropy() ? Places.at(out[2]) : NONE,
                        op.argMax() ? Places.at(out[out.length - 1]) : NONE);
        try (var sweep = new HeadSweep(tools, op.name(), options, in)) {
            sweep.run(block -> rows.gather(block, options, results, NONE), null, null);
            clearIgnored(sweep, options, results);
        }
    }

    /// Computes the logits again; inputs hidden, weight, targets, log-sum-exps, entropies if there
    /// are any, then what flows back to each.
    private void perTokenGradient(PerTokenHead.Grad op, View[] in, View[] out) {
        boolean entropies = op.of().entropy();
        HeadOptions options = op.of().options().zLoss(0).filter(HeadFilter.NONE);
        int next = entropies ? 5 : 4;
        int logSumExp = Places.at(in[3]);
        var incoming =
                new HeadRows.Incoming(
                        Places.at(in[next]),
                        Places.at(in[next + 1]),
                        entropies ? Places.at(in[4]) : NONE,
                        entropies ? Places.at(in[next + 2]) : NONE);
        try (var sweep = new HeadSweep(tools, op.of().name(), options, in)) {
            sweep.run(
                    block ->
                            rows.differentiate(
                                    block,
                                    options,
                                    true,
                                    logSumExp,
                                    incoming,
                                    NONE,
                                    sweep.tokens()),
                    op.dHidden() ? out[0] : null,
                    op.dWeight() ? out[out.length - 1] : null);
        }
    }
}
