package io.github.panagrad.bench.natives;

import java.nio.file.Path;

/// OpenBLAS, with the kernels it picks for the processor by itself.
public final class OpenBlas extends Blas {
    @Override
    public String name() {
        return "OpenBLAS";
    }

    @Override
    public String build() {
        return "OpenBLAS 0.3.31";
    }

    @Override
    Path library() {
        return Natives.unpack(
                        "openblas.jar", "org/bytedeco/openblas/linux-x86_64", "openblas-0.3.31", name -> true)
                .resolve("libopenblas.so.0");
    }

    @Override
    String threadsFunction() {
        return "openblas_set_num_threads";
    }
}
