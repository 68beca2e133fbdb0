/// The kernels of ops, a file a family: a static method that TornadoVM compiles for the device, and
/// what hands it the operands.
///
/// In kernels, `f` are the device's floats, `n` its ints, `p` the launch's ints and `r` its floats.
/// They are Java, but not all of Java: no objects, exceptions, `>>>`, `Math.fma`, or casts of bits
/// save where they are stored at once ([Halves]);
/// NaN is lost in comparisons; local arrays must be used where they are allocated, for a method that
/// they are handed to counts bytes for elements; their names begin with `k`, for OpenCL's own
/// functions must not be hidden.
@NullMarked
package io.github.panagrad.tornado.kernel;

import org.jspecify.annotations.NullMarked;
