/// JMH benchmarks; every speed claim of the project points at one of them.
@NullMarked
package io.github.panagrad.bench;

import org.jspecify.annotations.NullMarked;
