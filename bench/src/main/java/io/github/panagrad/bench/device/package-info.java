/// A device of TornadoVM measured: kernels and whole training steps, against what it can do.
@NullMarked
package io.github.panagrad.bench.device;

import org.jspecify.annotations.NullMarked;
