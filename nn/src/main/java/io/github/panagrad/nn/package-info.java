/// Modules and what trains them: models, optimizers, data and model files live below this package.
@NullMarked
package io.github.panagrad.nn;

import org.jspecify.annotations.NullMarked;
