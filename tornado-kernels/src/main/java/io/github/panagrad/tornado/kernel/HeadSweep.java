package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Storage;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.PanagradDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A pass over the logits of a head, a block of tokens at a time: never do all logits exist.
///
/// Tokens whose target is to be ignored take no part. The targets come to the host for that, a few
/// ints before much work; a target outside of the vocabulary is found at the same time.
final class HeadSweep implements AutoCloseable {
    /// Tokens of a block at least, whatever the budget: products of fewer rows are slow.
    private static final int FEWEST = 64;

    /// The part of the device's floats that logits may take if nothing else is asked for.
    private static final int MEMORY_PART = 16;

    private final PanagradDevice device;
    private final MatMulKernels products;
    private final RowMoves moves;
    private final CopyKernels copies;
    private final int tokens;
    private final int dim;
    private final int vocabulary;
    private final int targets;
    private final int live;
    private final int blockRows;
    private final Matrix weight;
    private final DeviceStorage positions;
    private final DeviceStorage logits;
    private final @Nullable DeviceStorage gathered;
    private final int hidden;

    /// What a sweep launches.
    record Tools(
            PanagradDevice device, MatMulKernels products, RowMoves moves, CopyKernels copies) {}

    /// @param in hidden (N, D), weight (V, D), targets (N), and what else the op has
    HeadSweep(Tools tools, String op, HeadOptions options, View[] in) {
        device = tools.device;
        products = tools.products;
        moves = tools.moves;
        copies = tools.copies;
        tokens = in[0].dim(0);
        dim = in[0].dim(1);
        vocabulary = in[1].dim(0);
        targets = Places.at(in[2]);
        weight = Matrix.contiguous(Places.at(in[1]), vocabulary, dim);
        int[] kept = live(op, in[2], options.ignoreIndex(), vocabulary, device);
        live = kept.length;
        long rows = budget(options, device) / (4L * Math.max(1, vocabulary));
        blockRows = (int) Math.min(live, Math.max(FEWEST, rows));
        positions = device.allocate(DType.I32, live);
        if (live > 0) {
            device.upload(HeapStorage.of(kept), positions);
        }
        logits = device.allocate(DType.F32, (long) blockRows * vocabulary);
        if (live == tokens) {
            gathered = null;
            hidden = Places.at(in[0]);
        } else {
            gathered = device.allocate(DType.F32, (long) live * dim);
            hidden = gathered.at();
            moves.gather(Places.at(in[0]), positions.at(), live, dim, hidden);
        }
    }

    /// Returns how many bytes of logits may exist at a time: what was asked for, or a part of the
    /// device's memory, since the budget that comes by default is one for the caches of a CPU.
    private static long budget(HeadOptions options, PanagradDevice device) {
        long asked = options.memoryBudget();
        return asked == HeadOptions.DEFAULT.memoryBudget()
                ? Math.max(asked, 4 * device.capacity() / MEMORY_PART)
                : asked;
    }

    /// Returns the positions of the tokens that count.
    private static int[] live(
            String op, View targets, int ignore, int vocabulary, PanagradDevice device) {
        var from = (DeviceStorage) targets.storage();
        Storage host = HeapStorage.allocate(DType.I32, from.length());
        device.download(from, host);
        int[] all = host.ints();
        int n = targets.size();
        int[] kept = new int[n];
        int count = 0;
        for (int i = 0; i < n; i++) {
            int target = all[targets.offset() + i];
            if (target == ignore) {
                continue;
            }
            if (target < 0 || target >= vocabulary) {
                throw new PanagradException(
                        op,
                        "target of token " + i + " is not in the vocabulary",
                        "" + target,
                        "0 to " + (vocabulary - 1) + ", or " + ignore + " to ignore it",
                        "");
            }
            kept[count++] = i;
        }
        return Arrays.copyOf(kept, count);
    }

    /// Tells whether some tokens are ignored.
    boolean ignoresSome() {
        return live < tokens;
    }

    /// Returns how many tokens there are, ignored ones included.
    int tokens() {
        return tokens;
    }

    /// Returns the place of the targets.
    int targets() {
        return targets;
    }

    /// Computes each block of logits, hands it out, and multiplies what has become of it into the
    /// gradients.
    void run(Consumer<HeadRows.Block> body, @Nullable View dHidden, @Nullable View dWeight) {
        DeviceStorage compact =
                dHidden != null && ignoresSome()
                        ? device.allocate(DType.F32, (long) live * dim)
                        : null;
        for (int t = 0; t < live; t += blockRows) {
            int rows = Math.min(blockRows, live - t);
            Matrix x = Matrix.contiguous(hidden + t * dim, rows, dim);
            Matrix z = Matrix.contiguous(logits.at(), rows, vocabulary);
            products.product(x, weight.transposed(), z, false);
            body.accept(
                    new HeadRows.Block(rows, vocabulary, logits.at(), positions.at() + t, targets));
            if (dHidden != null) {
                int to = compact == null ? Places.at(dHidden) : compact.at();
                products.product(z, weight, Matrix.contiguous(to + t * dim, rows, dim), false);
            }
            if (dWeight != null) {
                Matrix to = Matrix.contiguous(Places.at(dWeight), vocabulary, dim);
                products.product(z.transposed(), x, to, t > 0);
            }
        }
        if (compact != null && dHidden != null) {
            copies.fill(Places.at(dHidden), dHidden.size(), 0);
            moves.spread(compact.at(), positions.at(), live, dim, Places.at(dHidden));
            compact.release("head");
        }
        if (dWeight != null && live == 0) {
            copies.fill(Places.at(dWeight), dWeight.size(), 0);
        }
    }

    /// Gives the scratch memory back.
    @Override
    public void close() {
        List<DeviceStorage> scratch = new ArrayList<>(List.of(positions, logits));
        if (gathered != null) {
            scratch.add(gathered);
        }
        scratch.forEach(storage -> storage.release("head"));
    }
}
