/// Choosing the next token, and the next, from a model's logits.
@NullMarked
package io.github.panagrad.nn.generate;

import org.jspecify.annotations.NullMarked;
