/// Models built from `config.json`: decoders of the Llama family and BERT encoders with their
/// heads.
@NullMarked
package io.github.panagrad.nn.models;

import org.jspecify.annotations.NullMarked;
