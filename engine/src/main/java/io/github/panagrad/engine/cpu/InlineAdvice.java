package io.github.panagrad.engine.cpu;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import javax.management.JMException;
import javax.management.ObjectName;

/// Tells the JIT compiler to inline the methods that take or return vectors into the loops that call
/// them.
///
/// By itself it compiles a large one apart if that becomes hot first, and then calls it from the
/// loops: vectors go through the heap, and a kernel runs at a fraction of its speed, in some JVM runs
/// and not in others. The JVM takes directives while it runs, by the same way as `jcmd`; where it
/// takes none, all is as it was. `-Dpanagrad.inlineAdvice=false` leaves them out.
final class InlineAdvice {
    /// Methods by class, first match first: what is never to be inlined begins with a minus.
    static final List<String> METHODS =
            List.of(
                    "-VectorMath.lanewise",
                    "+VectorMath.*",
                    "+Lanes.*",
                    "+GeluLanes.*",
                    "+BlockLanes.*",
                    "+UnaryFn.*",
                    "+BinaryFn.*",
                    "+RelationFn.*",
                    "+BlockRow.unit*",
                    "+BlockWiden.levels",
                    "+BlockWiden.nf4Pairs",
                    "+Bf16Row.pairs",
                    "+Widen.bits",
                    "+Widen.halfToFloat",
                    "+DropoutLoop.pairIndices",
                    "+SoftmaxRows.shareExp",
                    "+QueryTile.keep");

    private static final String PACKAGE = InlineAdvice.class.getPackageName().replace('.', '/');

    private InlineAdvice() {}

    /// Gives the advice in the background, for it starts the JVM's management classes: half a second.
    /// C2 reaches the first loop later than that.
    static void give() {
        if (Boolean.parseBoolean(System.getProperty("panagrad.inlineAdvice", "true"))
                && ModuleLayer.boot().findModule("jdk.management").isPresent()) {
            Thread.ofPlatform()
                    .name("panagrad-inline-advice")
                    .daemon()
                    .start(InlineAdvice::giveQuietly);
        }
    }

    private static void giveQuietly() {
        try {
            send();
        } catch (IOException | JMException | RuntimeException cannot) {
            // Another JVM, or no place for a file: kernels compute the same, perhaps not at full
            // speed.
            return;
        }
    }

    /// Sends the directives and returns what the JVM says to them.
    static String send() throws IOException, JMException {
        Path file = Files.createTempFile("panagrad-inline", ".json");
        try {
            Files.writeString(file, directives());
            Object answer =
                    ManagementFactory.getPlatformMBeanServer()
                            .invoke(
                                    new ObjectName("com.sun.management:type=DiagnosticCommand"),
                                    "compilerDirectivesAdd",
                                    new Object[] {new String[] {file.toString()}},
                                    new String[] {String[].class.getName()});
            return String.valueOf(answer);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /// Returns the directives as the JVM reads them.
    private static String directives() {
        String inline =
                METHODS.stream()
                        .map(m -> "\"%s%s/%s\"".formatted(m.charAt(0), PACKAGE, m.substring(1)))
                        .collect(Collectors.joining(", "));
        return "[{match: [\"%s/*.*\"], c2: {inline: [%s]}}]".formatted(PACKAGE, inline);
    }
}
