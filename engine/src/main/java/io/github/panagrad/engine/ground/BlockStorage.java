package io.github.panagrad.engine.ground;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Storage of rows that are quantised in blocks, Q8 or NF4, in a native or memory-mapped segment.
///
/// An element is `level(code) · scale`, rounded to F32. Rows are the last dimension of the tensor
/// that was quantised; they do not share scales, so any range of them stands alone. A row is coded
/// in units of 32 elements, the last one filled up with zeros.
///
/// | | Q8 | NF4 |
/// |---|---|---|
/// | codes of a unit | 32 signed bytes | 16 bytes: elements j and 16 + j in the lower and upper half of byte j |
/// | level | the code, −127 to 127 | [#nf4Levels] at the code |
/// | scale | F32 a unit: largest magnitude / 127 | F32 a row times an unsigned byte a block of two units |
/// | error of an element | scale / 2 | 0.152 · scale |
///
/// The segment holds the codes of all rows, then, row by row, the F32 scales, then the bytes of
/// NF4, little-endian. An NF4 block's scale is the smallest multiple of the row's that covers the
/// largest magnitude M of the block: at most M plus a 255th of the row's largest.
///
/// The collector frees the segment, as in [SegmentStorage].
public final class BlockStorage extends Storage {
    /// Elements that are coded together.
    public static final int UNIT = 32;

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    /// Quantiles of the normal distribution, with an exact zero (QLoRA, appendix E).
    private static final float[] NF4 = {
        -1.0f,
        -0.6961928009986877f,
        -0.5250730514526367f,
        -0.39491748809814453f,
        -0.28444138169288635f,
        -0.18477343022823334f,
        -0.09105003625154495f,
        0.0f,
        0.07958029955625534f,
        0.16093020141124725f,
        0.24611230194568634f,
        0.33791524171829224f,
        0.44070982933044434f,
        0.5626170039176941f,
        0.7229568362236023f,
        1.0f
    };

    private static final int NF4_ZERO = 7;

    private final MemorySegment segment;
    private final int inner;
    private final int units;
    private final long floatScales;
    private final long byteScales;

    private BlockStorage(DType dtype, Shape shape, MemorySegment segment) {
        super(dtype, shape.size());
        this.segment = segment;
        inner = inner(shape);
        units = units(inner);
        long rows = rows(shape);
        floatScales = rows * units * unitBytes(dtype);
        byteScales = floatScales + 4 * rows * (dtype == DType.Q8 ? units : 1);
    }

    /// Allocates native memory for a tensor of the given shape; the contents are undefined.
    public static BlockStorage allocate(DType dtype, Shape shape) {
        long bytes = byteSize(dtype, shape);
        return new BlockStorage(
                dtype, shape, Arena.ofAuto().allocate(Math.max(1, bytes), 64).asSlice(0, bytes));
    }

    /// Wraps a segment, such as one mapped from a file.
    ///
    /// @throws PanagradException if its size is not that of a tensor of the given shape
    public static BlockStorage of(DType dtype, Shape shape, MemorySegment segment) {
        if (!dtype.isBlock() || segment.byteSize() != byteSize(dtype, shape)) {
            throw new PanagradException(
                    "segment",
                    "size or type does not fit",
                    segment.byteSize() + " bytes for " + dtype.label() + shape,
                    "a q8 or nf4 segment of exactly that shape",
                    "");
        }
        return new BlockStorage(dtype, shape, segment);
    }

    /// Returns the memory that a tensor of a block type takes.
    public static long byteSize(DType dtype, Shape shape) {
        int units = units(inner(shape));
        int scales = dtype == DType.Q8 ? 4 * units : 4 + (units + 1) / 2;
        return rows(shape) * ((long) units * unitBytes(dtype) + scales);
    }

    private static int inner(Shape shape) {
        return shape.rank() == 0 ? 1 : shape.dim(-1);
    }

    private static long rows(Shape shape) {
        return shape.size() / Math.max(1, inner(shape));
    }

    private static int units(int inner) {
        return (inner + UNIT - 1) / UNIT;
    }

    private static int unitBytes(DType dtype) {
        return dtype == DType.Q8 ? UNIT : UNIT / 2;
    }

    /// Returns the sixteen levels of NF4, in ascending order.
    public static float[] nf4Levels() {
        return NF4.clone();
    }

    @Override
    public long byteSize() {
        return byteSize(dtype(), Shape.of(Math.toIntExact(length() / Math.max(1, inner)), inner));
    }

    /// Returns the number of elements in a row.
    public int inner() {
        return inner;
    }

    /// Returns the number of units in a row.
    public int units() {
        return units;
    }

    /// Returns where the codes of a row begin in the segment; a unit takes 32 bytes (Q8) or 16.
    public long codesAt(long row) {
        return row * units * unitBytes(dtype());
    }

    /// Returns where the F32 scales of a row begin: one a unit (Q8) or one (NF4).
    public long floatScalesAt(long row) {
        return floatScales + 4 * row * (dtype() == DType.Q8 ? units : 1);
    }

    /// Returns where the bytes begin that scale the blocks of an NF4 row.
    public long byteScalesAt(long row) {
        return byteScales + row * ((units + 1) / 2);
    }

    /// Returns the scale of one unit of a row.
    public float scale(long row, int unit) {
        if (dtype() == DType.Q8) {
            return segment.get(FLOAT, floatScalesAt(row) + 4L * unit);
        }
        int multiple = segment.get(BYTE, byteScalesAt(row) + unit / 2) & 0xFF;
        return segment.get(FLOAT, floatScalesAt(row)) * multiple;
    }

    @Override
    public double getDouble(long index) {
        long row = index / inner;
        int column = (int) (index % inner);
        int unit = column / UNIT;
        int place = column % UNIT;
        float level;
        if (dtype() == DType.Q8) {
            level = segment.get(BYTE, codesAt(row) + column);
        } else {
            int pair = segment.get(BYTE, codesAt(row) + unit * (UNIT / 2L) + place % (UNIT / 2));
            level = NF4[(place < UNIT / 2 ? pair : pair >> 4) & 0xF];
        }
        return level * scale(row, unit);
    }

    @Override
    public void setDouble(long index, double value) {
        throw new PanagradException(
                "set",
                "elements of " + dtype().label() + " cannot be written one by one",
                "",
                "",
                "change the values in f32 and quantise them again");
    }

    @Override
    public MemorySegment segment() {
        requireAlive();
        return segment;
    }

    @Override
    protected void free() {}

    /// Copies rows of another storage of the same type and row length, codes and scales as they are.
    public void copyRows(BlockStorage from, long fromRow, long toRow, long count) {
        copy(from, from.codesAt(fromRow), codesAt(toRow), count * codesAt(1));
        long floats = floatScalesAt(1) - floatScales;
        copy(from, from.floatScalesAt(fromRow), floatScalesAt(toRow), count * floats);
        if (dtype() == DType.NF4) {
            long bytes = byteScalesAt(1) - byteScales;
            copy(from, from.byteScalesAt(fromRow), byteScalesAt(toRow), count * bytes);
        }
    }

    private void copy(BlockStorage from, long source, long target, long bytes) {
        MemorySegment.copy(from.segment(), source, segment(), target, bytes);
    }

    /// Quantises one row: each element to its nearest level.
    ///
    /// @throws PanagradException if an element is infinite or NaN
    public void quantise(long row, float[] values, int at) {
        for (int i = 0; i < inner; i++) {
            if (!Float.isFinite(values[at + i])) {
                throw new PanagradException(
                        "quantise",
                        "a value is not finite",
                        values[at + i] + " in row " + row + ", column " + i,
                        "finite values",
                        "");
            }
        }
        if (dtype() == DType.Q8) {
            quantiseQ8(row, values, at);
        } else {
            quantiseNf4(row, values, at);
        }
    }

    private static float largest(float[] values, int from, int to) {
        float largest = 0;
        for (int i = from; i < to; i++) {
            largest = Math.max(largest, Math.abs(values[i]));
        }
        return largest;
    }

    private void quantiseQ8(long row, float[] values, int at) {
        long codes = codesAt(row);
        for (int unit = 0; unit < units; unit++) {
            int from = unit * UNIT;
            int to = Math.min(inner, from + UNIT);
            float scale = largest(values, at + from, at + to) / 127;
            segment.set(FLOAT, floatScalesAt(row) + 4L * unit, scale);
            for (int i = from; i < from + UNIT; i++) {
                double code = i < to && scale > 0 ? Math.rint((double) values[at + i] / scale) : 0;
                segment.set(BYTE, codes + i, (byte) Math.clamp(code, -127, 127));
            }
        }
    }

    private void quantiseNf4(long row, float[] values, int at) {
        float rowScale = largest(values, at, at + inner) / 255;
        segment.set(FLOAT, floatScalesAt(row), rowScale);
        int block = 2 * UNIT;
        for (int from = 0; from < inner; from += block) {
            float largest = largest(values, at + from, at + Math.min(inner, from + block));
            int multiple =
                    rowScale > 0 ? (int) Math.min(255, Math.ceil((double) largest / rowScale)) : 0;
            segment.set(BYTE, byteScalesAt(row) + from / block, (byte) multiple);
        }
        long codes = codesAt(row);
        for (int unit = 0; unit < units; unit++) {
            float scale = scale(row, unit);
            for (int j = 0; j < UNIT / 2; j++) {
                int column = unit * UNIT + j;
                int low = nf4(values, at, column, scale);
                int high = nf4(values, at, column + UNIT / 2, scale);
                segment.set(BYTE, codes + unit * (UNIT / 2L) + j, (byte) (high << 4 | low));
            }
        }
    }

    private int nf4(float[] values, int at, int column, float scale) {
        if (column >= inner || scale == 0) {
            return NF4_ZERO;
        }
        float x = values[at + column] / scale;
        int code = 0;
        for (int step = 8; step > 0; step >>= 1) {
            // The midpoint below a level decides whether x is at least nearer to that level.
            int next = code + step;
            if (x > (NF4[next - 1] + NF4[next]) / 2) {
                code = next;
            }
        }
        return code;
    }
}
