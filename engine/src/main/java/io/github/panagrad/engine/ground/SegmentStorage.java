package io.github.panagrad.engine.ground;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Storage of BF16, F16 or I8 elements in a native or memory-mapped segment, little-endian.
///
/// The collector frees the segment: it is allocated from, or mapped in, an automatic arena.
public final class SegmentStorage extends Storage {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment segment;

    private SegmentStorage(DType dtype, long length, MemorySegment segment) {
        super(dtype, length);
        this.segment = segment;
    }

    /// Wraps a segment, such as one mapped from a file.
    ///
    /// @throws PanagradException if its size is not that of `length` elements
    public static SegmentStorage of(DType dtype, long length, MemorySegment segment) {
        if (!dtype.isSegment() || dtype.isBlock() || segment.byteSize() != length * dtype.bytes()) {
            throw new PanagradException(
                    "segment",
                    "size or type does not fit",
                    segment.byteSize() + " bytes for " + length + " " + dtype.label(),
                    "a bf16, f16 or i8 segment of exactly that many elements",
                    "");
        }
        return new SegmentStorage(dtype, length, segment);
    }

    /// Allocates zeroed native memory that the collector frees.
    static SegmentStorage allocate(DType dtype, long length) {
        return new SegmentStorage(
                dtype,
                length,
                Arena.ofAuto()
                        .allocate(Math.max(1, length * dtype.bytes()), 64)
                        .asSlice(0, length * dtype.bytes()));
    }

    @Override
    public double getDouble(long index) {
        return switch (dtype()) {
            case BF16 -> Half.bf16ToFloat(segment.get(SHORT, index * 2));
            case F16 -> Float.float16ToFloat(segment.get(SHORT, index * 2));
            default -> segment.get(ValueLayout.JAVA_BYTE, index);
        };
    }

    @Override
    public void setDouble(long index, double value) {
        switch (dtype()) {
            case BF16 -> segment.set(SHORT, index * 2, Half.floatToBf16((float) value));
            case F16 -> segment.set(SHORT, index * 2, Float.floatToFloat16((float) value));
            default -> segment.set(ValueLayout.JAVA_BYTE, index, (byte) value);
        }
    }

    @Override
    public MemorySegment segment() {
        requireAlive();
        return segment;
    }

    @Override
    protected void free() {}
}
