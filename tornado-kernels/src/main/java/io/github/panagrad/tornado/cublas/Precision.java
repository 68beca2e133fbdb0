package io.github.panagrad.tornado.cublas;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/// What the factors of a product are rounded to; sums and results are F32 in any case.
public enum Precision {
    /// Not rounded: F32.
    F32(68),

    /// To 10 bits after the leading one, for tensor cores: TensorFloat-32.
    TF32(77),

    /// To 7 bits after the leading one, for tensor cores: bfloat16.
    BF16(75);

    /// The system property that chooses one.
    public static final String PROPERTY = "panagrad.tornado.matmul";

    /// The property's value that keeps to kernels in Java.
    static final String JAVA = "java";

    /// cuBLAS's number for it, a `cublasComputeType_t`.
    final int computeType;

    Precision(int computeType) {
        this.computeType = computeType;
    }

    /// Returns the precision that the property asks for, [#F32] if it is not set or asks for Java.
    ///
    /// @throws PanagradException if the property has another value
    public static Precision wanted() {
        String value = System.getProperty(PROPERTY, F32.label());
        if (value.equals(JAVA)) {
            return F32;
        }
        return Arrays.stream(values())
                .filter(precision -> precision.label().equals(value))
                .findFirst()
                .orElseThrow(() ->
                        new PanagradException(
                                "-D" + PROPERTY,
                                "no such way to multiply matrices",
                                value,
                                Arrays.stream(values())
                                                .map(Precision::label)
                                                .collect(Collectors.joining(", "))
                                        + ", or "
                                        + JAVA
                                        + " for kernels in Java",
                                ""));
    }

    /// Tells whether the property asks for kernels in Java.
    static boolean isJavaWanted() {
        return System.getProperty(PROPERTY, "").equals(JAVA);
    }

    /// Returns the property's value for it.
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
