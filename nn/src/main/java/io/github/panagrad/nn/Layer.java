package io.github.panagrad.nn;

import io.github.panagrad.engine.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A module that turns one tensor into another, and whose calls can be intercepted.
///
/// Subclasses write [#forward]; everybody else uses [#call(Tensor, Context)], which takes the way
/// through the interceptors. With none attached it costs one comparison.
public abstract class Layer extends Module {
    private volatile List<Interceptor> interceptors = List.of();

    /// Creates a layer without interceptors.
    protected Layer() {}

    /// Computes the output from the input.
    protected abstract Tensor forward(Tensor x, Context context);

    /// Applies the layer with an empty context.
    public final Tensor call(Tensor x) {
        return call(x, Context.EMPTY);
    }

    /// Applies the layer, through its interceptors if it has any.
    public final Tensor call(Tensor x, Context context) {
        List<Interceptor> around = interceptors;
        return around.isEmpty()
                ? forward(x, context)
                : through(around, around.size() - 1, x, context);
    }

    private Tensor through(List<Interceptor> around, int i, Tensor x, Context context) {
        return i < 0
                ? forward(x, context)
                : around.get(i).around(this, x, context, new Within(around, i - 1, context));
    }

    /// The interceptors up to `last`, and the layer itself.
    private final class Within implements Interceptor.Inner {
        private final List<Interceptor> around;
        private final int last;
        private final Context context;

        private Within(List<Interceptor> around, int last, Context context) {
            this.around = around;
            this.last = last;
            this.context = context;
        }

        @Override
        public Tensor apply(Tensor x) {
            return through(around, last, x, context);
        }

        @Override
        public Tensor apply(Tensor x, Context other) {
            return through(around, last, x, other);
        }

        @Override
        public boolean isLayer() {
            return last < 0;
        }
    }

    /// Attaches an interceptor around those attached before.
    ///
    /// @return what takes it off again
    public final synchronized Attachment intercept(Interceptor interceptor) {
        Interceptor mine = new Attached(interceptor);
        var more = new ArrayList<>(interceptors);
        more.add(mine);
        interceptors = List.copyOf(more);
        return () -> remove(mine);
    }

    /// An interceptor with an identity of its own, so that the same one may be attached twice and
    /// taken off once.
    private static final class Attached implements Interceptor {
        private final Interceptor of;

        private Attached(Interceptor of) {
            this.of = of;
        }

        @Override
        public Tensor around(Layer layer, Tensor x, Context context, Inner inner) {
            return of.around(layer, x, context, inner);
        }

        @Override
        public @Nullable Tensor weight(Tensor weight) {
            return of.weight(weight);
        }
    }

    /// Returns what the interceptors make of a weight of this layer; null if one of them does more
    /// than to change it.
    protected final @Nullable Tensor intercepted(Tensor weight) {
        Tensor now = weight;
        for (Interceptor interceptor : interceptors) {
            Tensor next = interceptor.weight(now);
            if (next == null) {
                return null;
            }
            now = next;
        }
        return now;
    }

    private synchronized void remove(Interceptor mine) {
        interceptors = interceptors.stream().filter(i -> i != mine).toList();
    }

    /// Tells whether calls take the way through interceptors.
    public final boolean isIntercepted() {
        return !interceptors.isEmpty();
    }
}
