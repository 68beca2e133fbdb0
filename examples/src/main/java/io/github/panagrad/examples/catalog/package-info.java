/// What the command line knows by name: methods of training and objectives, each with its source and
/// its settings.
@NullMarked
package io.github.panagrad.examples.catalog;

import org.jspecify.annotations.NullMarked;
