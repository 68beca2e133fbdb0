/// The ops, one a file: what it computes, its derivative, the samples that the tests run it on.
///
/// No op knows a backend; a fast kernel is registered there under the op's class.
@NullMarked
package io.github.panagrad.engine.op;

import org.jspecify.annotations.NullMarked;
