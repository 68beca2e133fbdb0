/// What Panagrad knows of TornadoVM: so far, whether a usable SDK is installed.
///
/// No backend is registered here and no tensor reaches a device yet. Device kernels will live in
/// packages below this one; nothing outside this module may depend on TornadoVM.
@NullMarked
package io.github.panagrad.tornado;

import org.jspecify.annotations.NullMarked;
