/// What a model looks like on disk: safetensors, `config.json`, `tokenizer.json`.
///
/// Nothing here knows a module or an optimizer; everything read from a file is checked before it is
/// believed, and every file is written beside its target and then renamed.
@NullMarked
package io.github.panagrad.nn.io;

import org.jspecify.annotations.NullMarked;
