/// The command line and the programs around it; nothing here is meant to be depended upon.
@NullMarked
package io.github.panagrad.examples;

import org.jspecify.annotations.NullMarked;
