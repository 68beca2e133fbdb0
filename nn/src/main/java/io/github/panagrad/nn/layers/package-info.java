/// The layers that models are built of: linear maps, embeddings, normalisations, dropout.
@NullMarked
package io.github.panagrad.nn.layers;

import org.jspecify.annotations.NullMarked;
