/// How far training has moved what a language model says of texts: losses with intervals, divergence
/// and agreement, the same model before and after.
///
/// What is here measures behaviour; what has moved in the weights is the business of those who know
/// what was trained.
@NullMarked
package io.github.panagrad.nn.drift;

import org.jspecify.annotations.NullMarked;
