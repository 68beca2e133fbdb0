/// Finding texts by their meaning. Nothing here trains or knows files.
@NullMarked
package io.github.panagrad.nn.retrieval;

import org.jspecify.annotations.NullMarked;
