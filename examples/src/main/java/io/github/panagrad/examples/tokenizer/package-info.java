/// Makes a tokenizer for the quick start's model: byte-level byte-pair encoding, learned from text
/// and written as the `tokenizer.json` of Hugging Face.
///
/// What reads such files is a library; only the learning is done here.
@NullMarked
package io.github.panagrad.examples.tokenizer;

import org.jspecify.annotations.NullMarked;
