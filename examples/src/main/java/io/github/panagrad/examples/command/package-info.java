/// The commands, a class each: it declares its options and says what happens in which order.
///
/// Commands print results on standard output and everything else on standard error. They throw what
/// goes wrong; putting it in words and choosing the exit code is not their business.
@NullMarked
package io.github.panagrad.examples.command;

import org.jspecify.annotations.NullMarked;
