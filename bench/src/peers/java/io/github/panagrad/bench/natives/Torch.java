package io.github.panagrad.bench.natives;

import io.github.panagrad.bench.peers.Problem;
import io.github.panagrad.bench.peers.Side;
import io.github.panagrad.bench.peers.Sides;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// libtorch through its C++ interface, of which one build fits in a process.
///
/// The bindings do not load anything themselves: which libtorch lies below them is chosen here.
@SuppressWarnings("restricted") // loading native code is what this is for
abstract class Torch implements Sides {
    private static final String BINDINGS = "org/bytedeco/pytorch/linux-x86_64";
    private static final String VERSION = "2.7.1";

    /// The official build: MKL and oneDNN.
    public static final class WithMkl extends Torch {
        @Override
        public String name() {
            return "libtorch";
        }

        @Override
        public String build() {
            return "libtorch " + VERSION + ", official build with MKL 2024.2 and oneDNN 3.7";
        }

        @Override
        void unpackAndLoad() {
            String into = "libtorch-mkl-" + VERSION;
            Path at = Natives.unpack("torch.jar", "pytorch/cpu/linux-x86_64", into, n -> true);
            Natives.unpack("torch-bindings.jar", BINDINGS, into, "libjnitorch.so"::equals);
            Natives.unpack("javacpp.jar", "org/bytedeco/javacpp/linux-x86_64", into, n -> true);
            load(at, "libgomp-98b21ff3.so.1");
        }
    }

    /// The bindings' own build: OpenBLAS.
    public static final class WithOpenBlas extends Torch {
        @Override
        public String name() {
            return "libtorch-openblas";
        }

        @Override
        public String build() {
            return "libtorch " + VERSION + ", bytedeco's build with OpenBLAS 0.3.31";
        }

        @Override
        void unpackAndLoad() {
            String into = "libtorch-openblas-" + VERSION;
            Path at = Natives.unpack("torch-bindings.jar", BINDINGS, into, n -> true);
            Natives.unpack("javacpp.jar", "org/bytedeco/javacpp/linux-x86_64", into, n -> true);
            Natives.unpack(
                    "openblas.jar",
                    "org/bytedeco/openblas/linux-x86_64",
                    into,
                    n -> !n.startsWith("libjni"));
            load(at, "libgomp.so.1", "libopenblas.so.0");
        }
    }

    private boolean loaded;

    /// Unpacks and loads the build.
    abstract void unpackAndLoad();

    @Override
    public final void load() {
        if (!loaded) {
            unpackAndLoad();
            loaded = true;
        }
    }

    /// Loads what comes first, then libtorch and the bindings.
    static void load(Path at, String... first) {
        for (String name : first) {
            System.load(at.resolve(name).toString());
        }
        for (String name : new String[] {"c10", "torch_cpu", "torch", "jnijavacpp", "jnitorch"}) {
            System.load(at.resolve("lib" + name + ".so").toString());
        }
    }

    @Override
    public @Nullable Side open(Problem problem, int threads) {
        load();
        torch.set_num_threads(threads);
        return switch (problem) {
            case Problem.Rows p -> new TorchRows(p);
            case Problem.Attend p -> new TorchAttention(p);
            case Problem.Head p -> new TorchHead(p);
            case Problem.Update p -> new TorchUpdate(p);
            case Problem.Step p -> new TorchStep(p);
            case Problem.Decode p -> new TorchDecode(p);
            default -> null;
        };
    }

    /// Copies an array into a tensor of libtorch's own memory.
    static Tensor tensor(float[] values, long... shape) {
        return Tensor.create(values, shape).clone();
    }

    /// Copies whole numbers into a tensor of I64, which is what libtorch takes for indices.
    static Tensor indices(int[] values, long... shape) {
        long[] wide = new long[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return Tensor.create(wide, shape).clone();
    }

    /// Makes a leaf that gradients are wanted of.
    static Tensor leaf(float[] values, long... shape) {
        return tensor(values, shape).set_requires_grad(true);
    }

    /// Copies a tensor into an array.
    static float[] floats(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        tensor.detach().contiguous().data_ptr_float().get(values);
        return values;
    }

    /// Returns the gradients of `y`, given its own, and frees the graph.
    static TensorVector grad(Tensor y, @Nullable Tensor dy, List<Tensor> inputs) {
        var given = dy == null ? new TensorVector() : new TensorVector(dy);
        return torch.grad(
                new TensorVector(y),
                new TensorVector(inputs.toArray(Tensor[]::new)),
                given,
                new BoolOptional(false),
                false,
                false);
    }
}
