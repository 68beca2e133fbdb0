/// Fine-tuning as the commands do it: a method applied to a model, a run that shows and records
/// what it does and can be interrupted.
///
/// This is what an application around the library would write for itself; the parts it puts
/// together are all public there.
@NullMarked
package io.github.panagrad.examples.tuning;

import org.jspecify.annotations.NullMarked;
