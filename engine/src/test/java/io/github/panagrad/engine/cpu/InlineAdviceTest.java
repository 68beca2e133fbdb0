package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;
import org.junit.jupiter.api.Test;

class InlineAdviceTest {
    /// A method that takes or returns vectors and is missing here would run at full speed in some
    /// JVM runs only.
    @Test
    void namesEveryMethodOfTheKernelsThatTakesOrReturnsVectors() throws Exception {
        var missing = new ArrayList<String>();
        for (Class<?> type : kernelClasses()) {
            for (Method method : type.getDeclaredMethods()) {
                if (!Modifier.isAbstract(method.getModifiers()) && passesVectors(method)) {
                    String name = type.getSimpleName() + "." + method.getName();
                    if (InlineAdvice.METHODS.stream().noneMatch(m -> matches(m, name))) {
                        missing.add(name);
                    }
                }
            }
        }
        assertThat(missing).isEmpty();
    }

    @Test
    void jvmTakesTheDirectives() throws Exception {
        assertThat(InlineAdvice.send()).contains("1 compiler directives added");
    }

    private static boolean passesVectors(Method method) {
        return Stream.concat(
                        Arrays.stream(method.getParameterTypes()),
                        Stream.of(method.getReturnType()))
                .anyMatch(t -> Vector.class.isAssignableFrom(t) || t == VectorMask.class);
    }

    private static boolean matches(String pattern, String name) {
        String plain = pattern.substring(1);
        return plain.endsWith("*")
                ? name.startsWith(plain.substring(0, plain.length() - 1))
                : name.equals(plain);
    }

    private static List<Class<?>> kernelClasses() throws Exception {
        Path root =
                Path.of(
                        InlineAdvice.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI());
        String name = InlineAdvice.class.getPackageName();
        var found = new ArrayList<Class<?>>();
        try (Stream<Path> files = Files.list(root.resolve(name.replace('.', '/')))) {
            for (Path file : files.toList()) {
                String simple = file.getFileName().toString();
                if (simple.endsWith(".class") && !simple.equals("package-info.class")) {
                    found.add(Class.forName(name + "." + simple.replace(".class", "")));
                }
            }
        }
        assertThat(found).hasSizeGreaterThan(50);
        return found;
    }
}
