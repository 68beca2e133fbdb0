/// The small program that `java -jar panagrad.jar` starts, on whatever `java` is on the path.
///
/// It looks for a JDK that can run Panagrad and hands over to it. Everything here is compiled for
/// Java 11 and uses nothing but `java.base`; nothing else in the jar may be referred to by name.
@NullMarked
package io.github.panagrad.launcher;

import org.jspecify.annotations.NullMarked;
