package io.github.panagrad.engine.ground;

/// The element types of a tensor.
///
/// [#F32] is what training computes in, [#F64] what gradient checks compute in (on the reference
/// backend only). [#BF16], [#F16] and [#I8] are storage types: they are widened when an op reads
/// them. So are [#Q8] and [#NF4], whose elements share scales within blocks of a row; they are for
/// frozen weights, and [BlockStorage] says how they lie in memory. [#I32] and [#I64] are for
/// indices, [#BOOL] for masks.
public enum DType {
    /// 64-bit IEEE float, `double[]`.
    F64(8, true),
    /// 32-bit IEEE float, `float[]`.
    F32(4, true),
    /// bfloat16: the upper half of an F32, in a memory segment.
    BF16(2, true),
    /// 16-bit IEEE float, in a memory segment.
    F16(2, true),
    /// Signed 64-bit integer, `long[]`.
    I64(8, false),
    /// Signed 32-bit integer, `int[]`.
    I32(4, false),
    /// Signed 8-bit integer, in a memory segment.
    I8(1, false),
    /// 8-bit integers in blocks of 32 with an F32 scale, in a memory segment: 9 bits an element.
    Q8(0, true),
    /// Indices into the sixteen levels of 4-bit NormalFloat in blocks of 64, whose scales are
    /// 8-bit multiples of an F32 a row, in a memory segment: about 4.2 bits an element.
    ///
    /// Source: Dettmers et al., QLoRA (2023), with its double quantisation by row instead of by 256
    /// blocks.
    NF4(0, true),
    /// A truth value, one byte of 0 or 1, `byte[]`.
    BOOL(1, false);

    private final int bytes;
    private final boolean floating;

    DType(int bytes, boolean floating) {
        this.bytes = bytes;
        this.floating = floating;
    }

    /// Returns the size of one element in bytes.
    ///
    /// @throws PanagradException for types of blocks; see [Storage#byteSize]
    public int bytes() {
        if (isBlock()) {
            throw new PanagradException(
                    "dtype",
                    "an element has no whole number of bytes",
                    label(),
                    "a type whose elements stand alone",
                    "convert with to(DType.F32)");
        }
        return bytes;
    }

    /// Tells whether the type holds real numbers.
    public boolean isFloating() {
        return floating;
    }

    /// Tells whether ops compute in this type; the other floating types are only stored.
    public boolean isCompute() {
        return this == F32 || this == F64;
    }

    /// Tells whether the type can index: I32 or I64.
    public boolean isIndex() {
        return this == I32 || this == I64;
    }

    /// Tells whether elements live in a memory segment rather than in a Java array.
    public boolean isSegment() {
        return this == BF16 || this == F16 || this == I8 || isBlock();
    }

    /// Tells whether elements share scales within blocks of a row; see [BlockStorage].
    public boolean isBlock() {
        return this == Q8 || this == NF4;
    }

    /// Returns the type that an op computes in when it reads this one.
    public DType widened() {
        return switch (this) {
            case F64 -> F64;
            case F32, BF16, F16, I8, Q8, NF4 -> F32;
            case I64, I32, BOOL -> this;
        };
    }

    /// Returns the lower-case name used in messages, such as `f32`.
    public String label() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
