package io.github.panagrad.nn;

import io.github.panagrad.engine.Tensor;
import java.util.ArrayList;
import java.util.List;

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
    }

    /// Attaches an interceptor around those attached before.
    ///
    /// @return what takes it off again
    @SuppressWarnings("UnnecessaryMethodReference")
    public final synchronized Attachment intercept(Interceptor interceptor) {
        // A wrapper of its own, so that the same interceptor may be attached twice and taken off
        // once.
        Interceptor mine = interceptor::around;
        var more = new ArrayList<>(interceptors);
        more.add(mine);
        interceptors = List.copyOf(more);
        return () -> remove(mine);
    }

    private synchronized void remove(Interceptor mine) {
        interceptors = interceptors.stream().filter(i -> i != mine).toList();
    }

    /// Tells whether calls take the way through interceptors.
    public final boolean isIntercepted() {
        return !interceptors.isEmpty();
    }
}
