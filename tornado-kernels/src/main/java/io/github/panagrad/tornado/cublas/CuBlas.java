package io.github.panagrad.tornado.cublas;

import io.github.panagrad.engine.ground.PanagradException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The functions of cuBLAS, and the one of CUDA's driver, that Panagrad calls.
@SuppressWarnings("restricted") // calls of native functions are the purpose
final class CuBlas {
    private static final List<String> LIBRARIES =
            List.of(
                    "libcublas.so.13",
                    "libcublas.so.12",
                    "libcublas.so",
                    "cublas64_13.dll",
                    "cublas64_12.dll");
    private static final List<String> DRIVERS = List.of("libcuda.so.1", "nvcuda.dll");

    /// Variables that name a toolkit's folder.
    private static final List<String> TOOLKITS = List.of("CUDA_PATH", "CUDA_HOME");

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout POINTER = ValueLayout.ADDRESS;

    /// `CUDA_R_32F`.
    private static final int FLOATS = 0;

    /// `CUBLAS_GEMM_DEFAULT`: the library chooses.
    private static final int CHOOSE = -1;

    private static final MemorySegment ZERO =
            Arena.global().allocateFrom(ValueLayout.JAVA_FLOAT, 0f);
    private static final MemorySegment ONE =
            Arena.global().allocateFrom(ValueLayout.JAVA_FLOAT, 1f);

    private static final class Loaded {
        static final Optional<CuBlas> CUBLAS = load();
    }

    private final MethodHandle create;
    private final MethodHandle destroy;
    private final MethodHandle setStream;
    private final MethodHandle gemm;
    private final MethodHandle setContext;

    private CuBlas(SymbolLookup cublas, SymbolLookup driver) {
        create = function(cublas, "cublasCreate_v2", POINTER);
        destroy = function(cublas, "cublasDestroy_v2", LONG);
        setStream = function(cublas, "cublasSetStream_v2", LONG, LONG);
        gemm =
                function(
                        cublas,
                        "cublasGemmStridedBatchedEx",
                        // handle, transposed a and b, m, n, k, factor
                        LONG,
                        INT,
                        INT,
                        INT,
                        INT,
                        INT,
                        POINTER,
                        // a, b: where, type, leading dimension, step
                        LONG,
                        INT,
                        INT,
                        LONG,
                        LONG,
                        INT,
                        INT,
                        LONG,
                        // factor of c, then c as a and b, how many, compute type, algorithm
                        POINTER,
                        LONG,
                        INT,
                        INT,
                        LONG,
                        INT,
                        INT,
                        INT);
        setContext = function(driver, "cuCtxSetCurrent", LONG);
    }

    /// Returns the library; empty where it is not installed, or not wanted.
    static Optional<CuBlas> find() {
        return Precision.isJavaWanted() ? Optional.empty() : Loaded.CUBLAS;
    }

    private static Optional<CuBlas> load() {
        return lookup(DRIVERS)
                .flatMap(driver -> lookup(LIBRARIES).map(cublas -> new CuBlas(cublas, driver)));
    }

    private static Optional<SymbolLookup> lookup(List<String> names) {
        var places = new ArrayList<>(names);
        for (String toolkit : TOOLKITS) {
            String home = System.getenv(toolkit);
            if (home != null) {
                names.forEach(name -> places.add(Path.of(home, "lib64", name).toString()));
            }
        }
        names.forEach(name -> places.add("/usr/local/cuda/lib64/" + name));
        for (String place : places) {
            try {
                return Optional.of(SymbolLookup.libraryLookup(place, Arena.global()));
            } catch (IllegalArgumentException notThere) {
                // the next place, then
            }
        }
        return Optional.empty();
    }

    private static MethodHandle function(
            SymbolLookup library, String name, MemoryLayout... arguments) {
        return Linker.nativeLinker()
                .downcallHandle(library.findOrThrow(name), FunctionDescriptor.of(INT, arguments));
    }

    /// Makes a handle whose calls take their turn with all else on a stream.
    ///
    /// @param context the `CUcontext` that the stream belongs to
    /// @param stream a `CUstream`
    long create(long context, long stream) {
        enter(context);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(LONG);
            check("cublasCreate", (int) create.invokeExact(handle));
            check("cublasSetStream", (int) setStream.invokeExact(handle.get(LONG, 0), stream));
            return handle.get(LONG, 0);
        } catch (Throwable failed) {
            throw unexpected(failed);
        }
    }

    /// Gives a handle back.
    void destroy(long handle) {
        try {
            check("cublasDestroy", (int) destroy.invokeExact(handle));
        } catch (Throwable failed) {
            throw unexpected(failed);
        }
    }

    /// Makes a context that of the calling thread, since a call belongs to whatever is current.
    void enter(long context) {
        try {
            check("cuCtxSetCurrent", (int) setContext.invokeExact(context));
        } catch (Throwable failed) {
            throw unexpected(failed);
        }
    }

    /// Starts products on the handle's stream.
    ///
    /// @param floats the address of the device's floats, which places count from
    void gemm(long handle, Gemm call, long floats, Precision precision) {
        MemorySegment before = call.add() ? ONE : ZERO;
        try {
            check(
                    "cublasGemmStridedBatchedEx",
                    (int)
                            gemm.invokeExact(
                                    handle,
                                    call.transposeA() ? 1 : 0,
                                    call.transposeB() ? 1 : 0,
                                    call.m(),
                                    call.n(),
                                    call.k(),
                                    ONE,
                                    address(floats, call.a()),
                                    FLOATS,
                                    call.a().leading(),
                                    (long) call.a().step(),
                                    address(floats, call.b()),
                                    FLOATS,
                                    call.b().leading(),
                                    (long) call.b().step(),
                                    before,
                                    address(floats, call.c()),
                                    FLOATS,
                                    call.c().leading(),
                                    (long) call.c().step(),
                                    call.count(),
                                    precision.computeType,
                                    CHOOSE));
        } catch (Throwable failed) {
            throw unexpected(failed);
        }
    }

    private static long address(long floats, Gemm.Operand operand) {
        return floats + 4L * operand.at();
    }

    private static void check(String function, int status) {
        if (status != 0) {
            throw new PanagradException(
                    "device",
                    function + " failed",
                    "status " + status,
                    "0",
                    "-D" + Precision.PROPERTY + "=" + Precision.JAVA + " does without cuBLAS");
        }
    }

    private static RuntimeException unexpected(Throwable failed) {
        return switch (failed) {
            case RuntimeException known -> known;
            case Error error -> throw error;
            default -> new IllegalStateException(failed);
        };
    }
}
