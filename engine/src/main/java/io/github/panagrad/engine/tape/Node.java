package io.github.panagrad.engine.tape;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.spi.Spec;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One recorded application of an op: where its inputs came from and what it saved.
///
/// Saved tensors are pinned until the backward walk has consumed the node.
public final class Node {
    private final long id = Stretch.nextId();
    private final @Nullable Op op;
    private final @Nullable Edge[] edges;
    private final List<Spec> inputSpecs;
    private final List<Spec> outputSpecs;
    private final Device device;
    private final @Nullable Tensor[] inputs;
    private final long[] versions;
    private @Nullable Tensor[] outputs;
    private boolean released;

    /// Creates the node of a leaf: a tensor that gradients are computed for.
    public Node(Spec spec, Device device) {
        this.op = null;
        this.edges = new Edge[0];
        this.inputSpecs = List.of();
        this.outputSpecs = List.of(spec);
        this.device = device;
        this.inputs = new Tensor[0];
        this.versions = new long[0];
        this.outputs = new Tensor[0];
    }

    Node(Op op, Tensor[] in, List<Spec> outputSpecs) {
        this.op = op;
        this.edges = new Edge[in.length];
        this.inputs = new Tensor[in.length];
        this.versions = new long[in.length];
        this.inputSpecs = java.util.Arrays.stream(in).map(Tensor::spec).toList();
        this.outputSpecs = outputSpecs;
        this.outputs = new Tensor[outputSpecs.size()];
        this.device = in[0].device();
        for (int i = 0; i < in.length; i++) {
            edges[i] = in[i].edge();
        }
        boolean[] needs = needs();
        for (int i = 0; i < in.length; i++) {
            if (op.savesInput(i, needs)) {
                in[i].storage().pin();
                inputs[i] = in[i];
                versions[i] = in[i] instanceof Parameter p ? p.version() : 0;
            }
        }
    }

    void saveOutputs(Tensor[] out) {
        for (int i = 0; i < out.length; i++) {
            if (op().savesOutput(i)) {
                out[i].storage().pin();
                outputs[i] = out[i];
            }
        }
    }

    /// Returns the place in the order of recording; inputs have smaller ones.
    public long id() {
        return id;
    }

    /// Tells whether this is a leaf.
    public boolean isLeaf() {
        return op == null;
    }

    /// Returns the op.
    public Op op() {
        return Objects.requireNonNull(op, "a leaf has no op");
    }

    /// Returns the number of outputs.
    public int outputCount() {
        return outputSpecs.size();
    }

    /// Returns the number of inputs.
    public int inputs() {
        return edges.length;
    }

    /// Tells whether a gradient is wanted for input `i`.
    public boolean needs(int i) {
        return edges[i] != null;
    }

    /// Tells for each input whether a gradient is wanted for it.
    public boolean[] needs() {
        boolean[] needs = new boolean[edges.length];
        for (int i = 0; i < needs.length; i++) {
            needs[i] = needs(i);
        }
        return needs;
    }

    /// Returns where input `i` came from, or null if no gradient is wanted for it.
    public @Nullable Edge edge(int i) {
        return edges[i];
    }

    /// Returns the shape and dtype of input `i`, saved or not.
    public Spec inputSpec(int i) {
        return inputSpecs.get(i);
    }

    /// Returns the shape and dtype of output `i`, saved or not.
    public Spec outputSpec(int i) {
        return outputSpecs.get(i);
    }

    /// Returns a saved input.
    ///
    /// @throws PanagradException if backward has already run through here, or a parameter was
    ///     assigned to since
    public Tensor input(int i) {
        Tensor saved = required(inputs[i], "input " + i);
        if (saved instanceof Parameter p && p.version() != versions[i]) {
            throw new PanagradException(
                    name(),
                    "parameter " + p.name() + " was changed between forward and backward",
                    "version " + p.version(),
                    "version " + versions[i],
                    "step the optimizer after backward");
        }
        return saved;
    }

    /// Returns a saved output.
    ///
    /// @throws PanagradException if backward has already run through here
    public Tensor output(int i) {
        return required(outputs[i], "output " + i);
    }

    /// Returns the gradient of output `i`, zeros where nothing used it.
    public Tensor grad(@Nullable Tensor[] dy, int i) {
        Tensor given = dy[i];
        return given != null
                ? given
                : Ops.zeros(outputSpecs.get(i).dtype(), outputSpecs.get(i).shape()).to(device);
    }

    private Tensor required(@Nullable Tensor saved, String which) {
        if (saved == null) {
            throw new PanagradException(
                    released
                            ? "backward: the graph was already consumed at "
                                    + name()
                                    + "; compute the loss again, or use grad(…, createGraph)"
                            : name()
                                    + ": "
                                    + which
                                    + " was not saved; declare it in savesInput or"
                                    + " savesOutput");
        }
        return saved;
    }

    /// Returns the op's name for messages.
    public String name() {
        return op == null ? "leaf" : op.name();
    }

    /// Lets go of what was saved; the node cannot be differentiated again.
    public void release() {
        if (released || op == null) {
            return;
        }
        released = true;
        String by = "backward of " + name();
        for (int i = 0; i < inputs.length; i++) {
            Tensor saved = inputs[i];
            if (saved != null) {
                saved.storage().unpin(by);
                inputs[i] = null;
            }
        }
        for (int i = 0; i < outputs.length; i++) {
            Tensor saved = outputs[i];
            if (saved != null) {
                saved.storage().unpin(by);
                outputs[i] = null;
            }
        }
    }

    /// Tells whether the node has let go of what it saved.
    public boolean isReleased() {
        return released;
    }
}
