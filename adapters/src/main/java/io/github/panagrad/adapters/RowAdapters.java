package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.models.Sequence;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Says for each row of a batch which adapter it goes through.
///
/// ```java
/// Context context = RowAdapters.of("french", "", "pirate").in(Context.EMPTY);
/// model.hidden(ids, null, context)
/// ```
///
/// Each row gets what it would get alone, with only that adapter switched on.
///
/// @param names the adapter's name for each row; an empty one for the model without adapters
public record RowAdapters(List<String> names) {
    static final Context.Key<RowAdapters> KEY = new Context.Key<>("adapters of rows");

    /// Copies the names.
    public RowAdapters {
        names = List.copyOf(names);
    }

    /// Names the adapter of each row.
    public static RowAdapters of(String... names) {
        return new RowAdapters(List.of(names));
    }

    /// Returns a context that carries these rows, for a forward pass.
    public Context in(Context context) {
        return context.with(KEY, this);
    }

    /// Runs the rows of one adapter through it and the others past it.
    ///
    /// Shapes: x (B, …) → (B, …).
    Tensor split(String name, Tensor x, Context context, Way through, Way past) {
        if (x.rank() < 2 || x.dim(0) != names.size()) {
            throw new ShapeException(
                    "adapter " + name,
                    "a layer sees another number of rows than adapters are named for",
                    x.spec().toString(),
                    names.size() + " rows",
                    "name an adapter for every row of the batch");
        }
        int[] mine = rows(name, true);
        int[] others = rows(name, false);
        if (mine.length == 0 || others.length == 0) {
            return (mine.length == 0 ? past : through).apply(x, context);
        }
        Tensor a = part(x, context, mine, through);
        Tensor b = part(x, context, others, past);
        if (a.rank() != b.rank() || a.dim(1) != b.dim(1)) {
            throw new PanagradException(
                    "adapter " + name,
                    "makes its rows of another length than the batch's other rows",
                    a.dim(1) + " and " + b.dim(1),
                    "rows of one length",
                    "a prompt is for whole batches: name it for every row, or batch its rows apart");
        }
        int[] back = new int[names.size()];
        for (int i = 0; i < mine.length; i++) {
            back[mine[i]] = i;
        }
        for (int i = 0; i < others.length; i++) {
            back[others[i]] = mine.length + i;
        }
        return Ops.concat(0, a, b).indexSelect(0, Ops.indices(back, back.length).to(a.device()));
    }

    private int[] rows(String name, boolean equal) {
        return IntStream.range(0, names.size())
                .filter(i -> names.get(i).equals(name) == equal)
                .toArray();
    }

    private Tensor part(Tensor x, Context context, int[] rows, Way way) {
        var some = new ArrayList<String>();
        for (int row : rows) {
            some.add(names.get(row));
        }
        Tensor taken = x.indexSelect(0, Ops.indices(rows, rows.length).to(x.device()));
        Sequence sequence = context.find(Sequence.KEY);
        Context own = sequence == null ? context : context.with(Sequence.KEY, sequence.rows(rows));
        return way.apply(taken, new RowAdapters(some).in(own));
    }

    /// A way for some rows.
    interface Way {
        Tensor apply(Tensor x, Context context);
    }
}
