/// What a backend has to provide, and what its kernels see: views on storage, never tensors.
@NullMarked
package io.github.panagrad.engine.spi;

import org.jspecify.annotations.NullMarked;
