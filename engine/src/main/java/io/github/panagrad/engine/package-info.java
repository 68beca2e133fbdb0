/// Tensors, automatic differentiation and the functions on them: start with
/// `import static io.github.panagrad.engine.Ops.*`.
@NullMarked
package io.github.panagrad.engine;

import org.jspecify.annotations.NullMarked;
