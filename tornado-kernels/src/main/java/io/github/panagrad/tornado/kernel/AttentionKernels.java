package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.Attention;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.PanagradDevice;
import org.jspecify.annotations.Nullable;

/// [Attention] and its gradients: which launches they take, and what these are told.
///
/// The ints of all launches begin alike: T, S, H, G, D, causal, window, place of the key mask, place
/// of the segments (negative if not there); place and strides (B, T or S, head, element) of q (9), k
/// (14) and v (19); places of the output (24), the log-sum-exp (25), the output's gradient (26), its
/// products with the output (27), dq, dk and dv (28, 29, 30; negative if not wanted); tiles across a
/// head (31); tiles along the queries or keys (32); B·T·H (33).
final class AttentionKernels {
    /// Threads of a group.
    static final int LOCAL = 256;

    /// Queries, keys and elements of a head that a group works on at a time.
    static final int TILE = 64;

    /// Threads along each side of a tile; each has every SIDE-th row and column.
    static final int SIDE = 16;

    /// Row length of tiles in local memory: odd, so that a column spreads over the banks.
    static final int PITCH = TILE + 1;

    /// Threads that share a row of a tile of scores.
    static final int SHARERS = LOCAL / TILE;

    /// Elements of a head, queries or keys that are in local memory at a time.
    static final int DEPTH = 16;

    /// Elements of an operand that each thread loads at a time.
    static final int LOADS = TILE * DEPTH / LOCAL;

    /// The score of what a query does not see, and the log-sum-exp of one that sees nothing: as in
    /// the op's composed form, and finite, since arithmetic with infinities is not reliable.
    static final float HIDDEN = -1e30f;

    /// The part of the device's floats that scores may take where they exist.
    private static final int MEMORY_PART = 16;

    private static final int OPERANDS = 3;

    /// The most queries for which each has a group of its own.
    private static final int FEW = 4;

    private static final int OUT = 24;
    private static final int LOG_SUM_EXP = 25;
    private static final int OUT_GRADIENT = 26;
    private static final int PRODUCTS = 27;
    private static final int GRADIENTS = 28;
    private static final int CHUNKS = 31;
    private static final int TILES = 32;
    private static final int ROWS = 33;
    private static final int NUMBERS = 34;

    private final PanagradDevice device;
    private final AttentionForward forward;
    private final AttentionDecode decode;
    private final AttentionQueryGradient queryGradient;
    private final AttentionKeyGradient keyGradient;

    /// The way for long sequences where a library computes products; null where none does.
    private final @Nullable AttentionProducts products;

    AttentionKernels(PanagradDevice device, MatMulKernels matMul, CopyKernels copies, Folds folds) {
        this.device = device;
        forward = new AttentionForward(device.programs());
        decode = new AttentionDecode(device.programs());
        queryGradient = new AttentionQueryGradient(device.programs());
        keyGradient = new AttentionKeyGradient(device.programs());
        products =
                matMul.hasLibrary()
                        ? new AttentionProducts(
                                device, matMul, copies, folds, device.capacity() / MEMORY_PART)
                        : null;
    }

    void register(KernelTable table) {
        table.add(Attention.class, new AttentionKernel(), (op, in) -> suits(in));
        table.add(Attention.Grad.class, new GradKernel(), (op, in) -> suits(in));
    }

    private static boolean suits(View[] in) {
        return in[0].dtype() == DType.F32
                && in[1].dtype() == DType.F32
                && in[2].dtype() == DType.F32;
    }

    private static int[] numbers(Attention op, View[] in) {
        int[] numbers = new int[NUMBERS];
        numbers[0] = in[0].dim(1);
        numbers[1] = in[1].dim(1);
        numbers[2] = in[0].dim(2);
        numbers[3] = in[1].dim(2);
        numbers[4] = in[0].dim(3);
        numbers[5] = op.causal() ? 1 : 0;
        numbers[6] = op.window();
        int next = OPERANDS;
        numbers[7] = op.hasKeyMask() ? Places.at(in[next++]) : -1;
        numbers[8] = op.hasSegments() ? Places.at(in[next]) : -1;
        int at = 9;
        for (int i = 0; i < OPERANDS; i++) {
            numbers[at++] = Places.at(in[i]);
            for (int d = 0; d < 4; d++) {
                numbers[at++] = in[i].stride(d);
            }
        }
        numbers[CHUNKS] = tiles(in[0].dim(3));
        return numbers;
    }

    private static int tiles(int n) {
        return (n + TILE - 1) / TILE;
    }

    private final class AttentionKernel implements Kernel<Attention> {
        @Override
        public boolean acceptsStrides(int i) {
            return i < OPERANDS;
        }

        @Override
        public void run(Attention op, View[] in, View[] out) {
            if (products != null && AttentionProducts.suits(op, in)) {
                products.forward(op, in, out);
                return;
            }
            int[] numbers = numbers(op, in);
            numbers[OUT] = Places.at(out[0]);
            numbers[LOG_SUM_EXP] = Places.at(out[1]);
            int queries = in[0].dim(1);
            int heads = in[0].dim(0) * in[0].dim(2);
            float scale = (float) op.scale();
            if (queries <= FEW && in[0].dim(3) <= AttentionDecode.MOST_ELEMENTS) {
                decode.run(heads * queries, numbers, scale);
            } else {
                numbers[TILES] = tiles(queries);
                forward.run(heads * numbers[CHUNKS] * numbers[TILES], numbers, scale);
            }
        }
    }

    private final class GradKernel implements Kernel<Attention.Grad> {
        @Override
        public boolean acceptsStrides(int i) {
            return i < OPERANDS;
        }

        @Override
        public void run(Attention.Grad op, View[] in, View[] out) {
            int[] numbers = numbers(op.of(), in);
            int results = in.length - 3;
            numbers[OUT] = Places.at(in[results]);
            numbers[LOG_SUM_EXP] = Places.at(in[results + 1]);
            numbers[OUT_GRADIENT] = Places.at(in[results + 2]);
            int next = 0;
            numbers[GRADIENTS] = op.dq() ? Places.at(out[next++]) : -1;
            numbers[GRADIENTS + 1] = op.dk() ? Places.at(out[next++]) : -1;
            numbers[GRADIENTS + 2] = op.dv() ? Places.at(out[next]) : -1;
            float scale = (float) op.of().scale();
            numbers[ROWS] = in[0].dim(0) * in[0].dim(1) * in[0].dim(2);
            DeviceStorage delta = device.allocate(DType.F32, numbers[ROWS]);
            numbers[PRODUCTS] = delta.at();
            queryGradient.products(numbers[ROWS], numbers);
            if (products != null && AttentionProducts.suits(op.of(), in)) {
                products.backward(op, in, out, delta.at());
            } else {
                inTiles(op, in, numbers, scale);
            }
            delta.release("attention");
        }

        private void inTiles(Attention.Grad op, View[] in, int[] numbers, float scale) {
            int batch = in[0].dim(0);
            if (op.dq()) {
                numbers[TILES] = tiles(in[0].dim(1));
                queryGradient.run(
                        batch * in[0].dim(2) * numbers[CHUNKS] * numbers[TILES], numbers, scale);
            }
            if (op.dk() || op.dv()) {
                numbers[TILES] = tiles(in[1].dim(1));
                keyGradient.run(
                        batch * in[1].dim(2) * numbers[CHUNKS] * numbers[TILES], numbers, scale);
            }
        }
    }
}
