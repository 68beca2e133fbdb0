/// Demonstrations of methods beside their plain cross-entropy arm, on the same data, steps and seeds.
@NullMarked
package io.github.panagrad.examples.demo;

import org.jspecify.annotations.NullMarked;
