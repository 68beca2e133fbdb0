package io.github.panagrad.nn;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a forward pass carries along besides activations: a random generator and entries by key.
/// Immutable.
///
/// Models put in what their layers need (positions, masks, a key-value cache), callers what their
/// interceptors need (the task of each row, a collector of auxiliary losses). Being an argument and
/// not hidden in a thread, it is there again when a layer is recomputed for backward.
public final class Context {
    /// Carries nothing.
    public static final Context EMPTY = new Context(null, Map.of());

    private final @Nullable Rng rng;
    private final Map<Key<?>, Object> entries;

    private Context(@Nullable Rng rng, Map<Key<?>, Object> entries) {
        this.rng = rng;
        this.entries = entries;
    }

    /// Names an entry and its type. Two keys are never equal.
    ///
    /// @param <T> the type of the entry
    @SuppressWarnings("UnusedTypeParameter") // it types the entry, not the key
    public static final class Key<T> {
        private final String name;

        /// Creates a key.
        ///
        /// @param name for messages
        public Key(String name) {
            this.name = name;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /// Creates a context whose random numbers come from `rng`.
    public static Context of(Rng rng) {
        return new Context(rng, Map.of());
    }

    /// Returns a context with another generator.
    public Context with(Rng other) {
        return new Context(other, entries);
    }

    /// Returns a context with an entry set.
    public <T> Context with(Key<T> key, T value) {
        var more = new HashMap<Key<?>, Object>(entries);
        more.put(key, value);
        return new Context(rng, Map.copyOf(more));
    }

    /// Returns an entry, or null if there is none.
    @SuppressWarnings("unchecked")
    public <T> @Nullable T find(Key<T> key) {
        return (T) entries.get(key);
    }

    /// Returns an entry.
    ///
    /// @throws PanagradException if there is none
    public <T> T get(Key<T> key) {
        T value = find(key);
        if (value == null) {
            throw new PanagradException(
                    "context",
                    "no entry '" + key + "'",
                    entries.keySet().toString(),
                    "",
                    "call the layer through its model, or add it with context.with(key, value)");
        }
        return value;
    }

    /// Tells whether there is a generator.
    public boolean hasRng() {
        return rng != null;
    }

    /// Returns the generator.
    ///
    /// @throws PanagradException if there is none
    public Rng rng() {
        if (rng == null) {
            throw new PanagradException(
                    "context",
                    "a layer needs random numbers and there is no generator",
                    "",
                    "",
                    "pass Context.of(Rng.of(seed)), or switch training mode off");
        }
        return rng;
    }

    /// Returns a context with a generator of its own, seeded by the next draw of this one's.
    ///
    /// Each forward pass of a model starts with this.
    public Context branch() {
        return rng == null ? this : with(Rng.of(seed(rng.draw())));
    }

    /// Returns a context with a generator that depends on this one's seed and on `index` alone.
    ///
    /// Each layer gets one, so that recomputing a layer draws the same numbers again.
    public Context fork(int index) {
        return rng == null ? this : with(Rng.of(seed(new Rng.Draw(rng.seed(), index))));
    }

    private static long seed(Rng.Draw draw) {
        return (long) draw.bits(0) << 32 | draw.bits(1) & 0xFFFFFFFFL;
    }
}
