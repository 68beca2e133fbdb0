/// The CPU backend: kernels on `float[]` by the Vector API. In kernels B is the batch, T tokens, C
/// channels, H heads, D the size of a head, V the vocabulary; M, N, K the extents of a product.
///
/// No tensor and no tape in here, and no kernel that reads both heap arrays and memory segments.
@NullMarked
package io.github.panagrad.engine.cpu;

import org.jspecify.annotations.NullMarked;
