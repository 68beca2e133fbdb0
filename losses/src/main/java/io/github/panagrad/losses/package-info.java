/// Loss functions, pure and static: tensors in, a tensor out, no state and no model.
@NullMarked
package io.github.panagrad.losses;

import org.jspecify.annotations.NullMarked;
