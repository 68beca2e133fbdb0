/// NVIDIA's cuBLAS for products of matrices on devices of CUDA, as a library task of TornadoVM.
///
/// The library comes with the CUDA toolkit or the driver's machine; Panagrad ships no part of it, and
/// calls it through `java.lang.foreign`. Where it is missing, kernels in Java compute the products.
@NullMarked
package io.github.panagrad.tornado.cublas;

import org.jspecify.annotations.NullMarked;
