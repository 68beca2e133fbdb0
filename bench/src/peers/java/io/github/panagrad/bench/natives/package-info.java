/// The peers' code: what calls MKL, OpenBLAS and libtorch. Built in the profile `peers` only.
@NullMarked
package io.github.panagrad.bench.natives;

import org.jspecify.annotations.NullMarked;
