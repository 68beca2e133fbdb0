package io.github.panagrad.bench.natives;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/// Intel's MKL, of the redistributable jar.
public final class Mkl extends Blas {
    private static final int INTEL_THREADS = 0;

    @Override
    public String name() {
        return "MKL";
    }

    @Override
    public String build() {
        return "MKL 2026.1";
    }

    @Override
    Path library() {
        return Natives.unpack("mkl-redist.jar", "org/bytedeco/mkl/linux-x86_64", "mkl-2026.1", name -> true)
                .resolve("libmkl_rt.so.3");
    }

    @Override
    String threadsFunction() {
        return "MKL_Set_Num_Threads";
    }

    @Override
    void prepare(SymbolLookup symbols) throws Throwable {
        var type = FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
        int before = (int) bind(symbols, "MKL_Set_Threading_Layer", type).invokeExact(INTEL_THREADS);
        if (before < 0) {
            throw new IllegalStateException("MKL refuses its threading layer");
        }
    }
}
