/// Parameter-efficient fine-tuning: adapters and masks that attach to a model by path pattern,
/// without touching the model's code.
@NullMarked
package io.github.panagrad.adapters;

import org.jspecify.annotations.NullMarked;
