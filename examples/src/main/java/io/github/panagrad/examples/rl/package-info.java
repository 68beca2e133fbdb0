/// Value functions learnt by classification and by squared error, side by side: a DQN on two small
/// worlds, a network whose targets drift away from zero, and a head on a language model's states.
///
/// The methods are in `losses`; this is what they are shown on.
@NullMarked
package io.github.panagrad.examples.rl;

import org.jspecify.annotations.NullMarked;
