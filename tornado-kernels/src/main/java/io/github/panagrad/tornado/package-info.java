/// The TornadoVM backend: which device there is, and which op runs by which kernel.
///
/// Nothing outside this module knows of TornadoVM; tensors come here through the engine's backend
/// interface.
@NullMarked
package io.github.panagrad.tornado;

import org.jspecify.annotations.NullMarked;
