/// Runs beside other libraries: what is compared, the runs, and what they come to.
///
/// Nothing here needs a peer; the code that calls them is in the sources of the profile `peers` and
/// is found as a [Sides].
@NullMarked
package io.github.panagrad.bench.peers;

import org.jspecify.annotations.NullMarked;
