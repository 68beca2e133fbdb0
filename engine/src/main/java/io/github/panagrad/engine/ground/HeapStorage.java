package io.github.panagrad.engine.ground;

/// Storage in a Java array, taken from the [Pool] where the type is pooled.
public final class HeapStorage {
    private HeapStorage() {}

    /// Allocates storage for `length` elements; the contents are undefined.
    ///
    /// @throws PanagradException if the type lives in segments or the array would be too long
    public static Storage allocate(DType dtype, long length) {
        if (length > Integer.MAX_VALUE - 16) {
            throw new PanagradException(
                    "allocate",
                    "too many elements for one array",
                    length + " of " + dtype.label(),
                    "at most 2^31-17",
                    "split the tensor");
        }
        int n = (int) length;
        return switch (dtype) {
            case F32 -> new Floats(Pool.floats().acquire(n), n, true);
            case I32 -> new Ints(new int[n], n);
            case F64 -> new Doubles(new double[n], n);
            case I64 -> new Longs(new long[n], n);
            case BOOL -> new Bytes(new byte[n], n);
            case BF16, F16, I8 -> SegmentStorage.allocate(dtype, length);
            case Q8, NF4 -> BlockStorage.allocate(dtype, Shape.of(n));
        };
    }

    /// Wraps an array that the caller hands over; it never enters the pool.
    public static Storage of(float[] values) {
        return new Floats(values, values.length, false);
    }

    /// Wraps an array that the caller hands over.
    public static Storage of(double[] values) {
        return new Doubles(values, values.length);
    }

    /// Wraps an array that the caller hands over.
    public static Storage of(int[] values) {
        return new Ints(values, values.length);
    }

    /// Wraps an array that the caller hands over.
    public static Storage of(long[] values) {
        return new Longs(values, values.length);
    }

    /// Wraps an array of zeros and ones that the caller hands over, as BOOL.
    public static Storage of(byte[] values) {
        return new Bytes(values, values.length);
    }

    private static final class Floats extends Storage {
        private float[] array;
        private final boolean pooled;

        Floats(float[] array, int length, boolean pooled) {
            super(DType.F32, length);
            this.array = array;
            this.pooled = pooled;
        }

        @Override
        public double getDouble(long index) {
            return array[(int) index];
        }

        @Override
        public void setDouble(long index, double value) {
            array[(int) index] = (float) value;
        }

        @Override
        public float[] floats() {
            requireAlive();
            return array;
        }

        @Override
        protected void free() {
            if (pooled) {
                Pool.floats().release(array);
            }
            array = new float[0];
        }
    }

    private static final class Doubles extends Storage {
        private double[] array;

        Doubles(double[] array, int length) {
            super(DType.F64, length);
            this.array = array;
        }

        @Override
        public double getDouble(long index) {
            return array[(int) index];
        }

        @Override
        public void setDouble(long index, double value) {
            array[(int) index] = value;
        }

        @Override
        public double[] doubles() {
            requireAlive();
            return array;
        }

        @Override
        protected void free() {
            array = new double[0];
        }
    }

    private static final class Ints extends Storage {
        private int[] array;

        Ints(int[] array, int length) {
            super(DType.I32, length);
            this.array = array;
        }

        @Override
        public double getDouble(long index) {
            return array[(int) index];
        }

        @Override
        public void setDouble(long index, double value) {
            array[(int) index] = (int) value;
        }

        @Override
        public int[] ints() {
            requireAlive();
            return array;
        }

        @Override
        protected void free() {
            array = new int[0];
        }
    }

    private static final class Longs extends Storage {
        private long[] array;

        Longs(long[] array, int length) {
            super(DType.I64, length);
            this.array = array;
        }

        @Override
        public double getDouble(long index) {
            return array[(int) index];
        }

        @Override
        public void setDouble(long index, double value) {
            array[(int) index] = (long) value;
        }

        @Override
        public long getLong(long index) {
            return array[(int) index];
        }

        @Override
        public void setLong(long index, long value) {
            array[(int) index] = value;
        }

        @Override
        public long[] longs() {
            requireAlive();
            return array;
        }

        @Override
        protected void free() {
            array = new long[0];
        }
    }

    private static final class Bytes extends Storage {
        private byte[] array;

        Bytes(byte[] array, int length) {
            super(DType.BOOL, length);
            this.array = array;
        }

        @Override
        public double getDouble(long index) {
            return array[(int) index];
        }

        @Override
        public void setDouble(long index, double value) {
            array[(int) index] = (byte) (value != 0 ? 1 : 0);
        }

        @Override
        public byte[] bytes() {
            requireAlive();
            return array;
        }

        @Override
        protected void free() {
            array = new byte[0];
        }
    }
}
