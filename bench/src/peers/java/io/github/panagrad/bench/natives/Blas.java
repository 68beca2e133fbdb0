package io.github.panagrad.bench.natives;

import io.github.panagrad.bench.peers.Inputs;
import io.github.panagrad.bench.peers.Problem;
import io.github.panagrad.bench.peers.Side;
import io.github.panagrad.bench.peers.Sides;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/// A BLAS called on heap arrays: no copies on either side.
@SuppressWarnings("restricted") // calling native code is what this is for
abstract class Blas implements Sides {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final BiFunction<Path, Arena, SymbolLookup> OPEN = SymbolLookup::libraryLookup;
    private static final int ROW_MAJOR = 101;
    private static final int PLAIN = 111;
    private static final int TRANSPOSED = 112;
    private static final FunctionDescriptor SGEMM =
            FunctionDescriptor.ofVoid(
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_FLOAT,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_FLOAT,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_INT);

    private @Nullable Calls calls;

    private record Calls(MethodHandle sgemm, MethodHandle setThreads) {}

    /// Unpacks the library and returns its file.
    abstract Path library();

    /// Returns the function that sets the number of threads.
    abstract String threadsFunction();

    /// Does what has to be done before the first call.
    void prepare(SymbolLookup symbols) throws Throwable {}

    /// Binds a function of the library.
    static MethodHandle bind(
            SymbolLookup symbols, String name, FunctionDescriptor type, Linker.Option... options) {
        return LINKER.downcallHandle(symbols.find(name).orElseThrow(), type, options);
    }

    @Override
    public @Nullable Side open(Problem problem, int threads) {
        if (!(problem instanceof Problem.Sgemm p)) {
            return null;
        }
        try {
            Calls now = calls;
            if (now == null) {
                SymbolLookup symbols = OPEN.apply(library(), Arena.global());
                prepare(symbols);
                now =
                        new Calls(
                                bind(symbols, "cblas_sgemm", SGEMM, Linker.Option.critical(true)),
                                bind(
                                        symbols,
                                        threadsFunction(),
                                        FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT)));
                calls = now;
            }
            now.setThreads.invokeExact(threads);
            return new Product(now.sgemm, p);
        } catch (Throwable e) {
            throw new IllegalStateException(name() + " cannot be loaded", e);
        }
    }

    private static final class Product implements Side {
        private final MethodHandle sgemm;
        private final Problem.Sgemm p;
        private final float[] a;
        private final float[] b;
        private final float[] c;

        Product(MethodHandle sgemm, Problem.Sgemm p) {
            this.sgemm = sgemm;
            this.p = p;
            a = Inputs.normal("a", p.m() * p.k());
            b = Inputs.normal("b", p.k() * p.n());
            c = new float[p.m() * p.n()];
        }

        @Override
        public void run() {
            try {
                sgemm.invokeExact(
                        ROW_MAJOR,
                        p.transA() ? TRANSPOSED : PLAIN,
                        p.transB() ? TRANSPOSED : PLAIN,
                        p.m(),
                        p.n(),
                        p.k(),
                        1f,
                        MemorySegment.ofArray(a),
                        p.transA() ? p.m() : p.k(),
                        MemorySegment.ofArray(b),
                        p.transB() ? p.k() : p.n(),
                        0f,
                        MemorySegment.ofArray(c),
                        p.n());
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public List<float[]> results() {
            run();
            return List.of(c);
        }
    }
}
