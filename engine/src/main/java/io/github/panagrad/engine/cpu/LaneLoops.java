package io.github.panagrad.engine.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/// Turns a function of vectors into a loop over arrays with a JIT profile of its own.
///
/// One loop shared by many functions calls them through a megamorphic call site, which boxes every
/// vector: 5 to 16 times slower. Here the loop is a template class that is defined anew for each
/// function, as a hidden class with the function as its class data. To the JIT compiler that is a
/// constant, so it inlines, and the loop is as fast as one written by hand (ADR 021).
///
/// The templates are never instantiated themselves.
final class LaneLoops {
    /// A function of one vector and two parameters that are the same for all elements.
    @FunctionalInterface
    interface Unary {
        FloatVector apply(FloatVector x, float p, float q);
    }

    /// A function of two vectors and two parameters that are the same for all elements.
    @FunctionalInterface
    interface Binary {
        FloatVector apply(FloatVector a, FloatVector b, float p, float q);
    }

    /// A relation of two vectors.
    @FunctionalInterface
    interface Relation {
        VectorMask<Float> test(FloatVector a, FloatVector b);
    }

    private LaneLoops() {}

    /// Defines the loop of a function of one vector.
    static UnaryLoop of(Unary function) {
        return define(UnaryTemplate.class, function, UnaryLoop.class);
    }

    /// Defines the loops of a function of two vectors.
    static BinaryLoop of(Binary function) {
        return define(BinaryTemplate.class, function, BinaryLoop.class);
    }

    /// Defines the loop of a relation.
    static RelationLoop of(Relation relation) {
        return define(RelationTemplate.class, relation, RelationLoop.class);
    }

    /// Returns the function that a template was defined with.
    static <T> T function(MethodHandles.Lookup template, Class<T> type) {
        try {
            return MethodHandles.classData(template, "_", type);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private static <T> T define(Class<? extends T> template, Object function, Class<T> type) {
        String file = template.getSimpleName() + ".class";
        try (InputStream in = template.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException("class file not found beside its class: " + file);
            }
            var hidden =
                    MethodHandles.lookup()
                            .defineHiddenClassWithClassData(in.readAllBytes(), function, true);
            var constructor =
                    hidden.findConstructor(hidden.lookupClass(), MethodType.methodType(void.class));
            return type.cast(constructor.invoke());
        } catch (IOException e) {
            throw new IllegalStateException("class file not readable: " + file, e);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("loop not definable: " + file, e);
        }
    }
}
