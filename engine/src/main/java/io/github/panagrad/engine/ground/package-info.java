/// What everything stands on: shapes, layouts, dtypes, storage, the array pool, threads, the random
/// generator and the errors.
///
/// Nothing here knows a tensor, an op or a backend.
@NullMarked
package io.github.panagrad.engine.ground;

import org.jspecify.annotations.NullMarked;
