/// What a training run shows and leaves behind for its user: progress, a picture of the loss, and
/// the figures of every step in a file.
@NullMarked
package io.github.panagrad.examples.progress;

import org.jspecify.annotations.NullMarked;
