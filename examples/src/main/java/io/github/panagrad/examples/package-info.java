/// The command line: `java -jar panagrad.jar COMMAND`.
///
/// [io.github.panagrad.examples.Panagrad] reads the arguments and turns every failure into one
/// clear line; each command is a class in `command`. What a command shows while it works is in
/// `progress`, the text and the task of the quick start in `world` and `tokenizer`. Nothing here is
/// library: what a second program would want belongs in the modules below.
@NullMarked
package io.github.panagrad.examples;

import org.jspecify.annotations.NullMarked;
