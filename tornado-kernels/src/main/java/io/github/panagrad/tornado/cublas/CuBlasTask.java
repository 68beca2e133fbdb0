package io.github.panagrad.tornado.cublas;

import java.util.List;
import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.api.common.LibraryTaskDescriptor;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/// A task of a graph that multiplies matrices by cuBLAS; which ones is said before each launch.
///
/// It is handed to [CuBlasProvider] as the task's tuning, which TornadoVM passes on as it is: numbers
/// that a library task is given otherwise are constants of the graph.
public final class CuBlasTask {
    private final Precision precision;
    private List<Gemm> calls = List.of();

    /// @param precision what factors are rounded to
    public CuBlasTask(Precision precision) {
        this.precision = precision;
    }

    /// Tells whether the library is there and wanted.
    public static boolean isAvailable() {
        return CuBlas.find().isPresent();
    }

    /// Describes the task to TornadoVM.
    ///
    /// @param floats the device's floats
    public LibraryTaskDescriptor describe(FloatArray floats) {
        return new LibraryTaskDescriptor()
                .withLibrary(CuBlasProvider.NAME)
                .withFunction("gemm")
                .withParameters(new Object[] {floats})
                .withAccess(new Access[] {Access.READ_WRITE})
                .withTuning(this);
    }

    /// Says what the next launch computes.
    public void prepare(List<Gemm> next) {
        calls = next;
    }

    List<Gemm> calls() {
        return calls;
    }

    /// Returns what factors are rounded to.
    public Precision precision() {
        return precision;
    }
}
