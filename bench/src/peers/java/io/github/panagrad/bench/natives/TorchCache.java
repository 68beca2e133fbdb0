package io.github.panagrad.bench.natives;

import io.github.panagrad.bench.peers.Llama;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Keys and values of the tokens so far, in tensors that are as long as they will ever be.
class TorchCache {
    /// Hands keys and values through: for training.
    static final TorchCache NONE =
            new TorchCache(0, 0, 0, 0) {
                @Override
                Tensor keys(int layer, Tensor added) {
                    return added;
                }

                @Override
                Tensor values(int layer, Tensor added) {
                    return added;
                }
            };

    private final Tensor[] keys;
    private final Tensor[] values;
    private long length;

    private TorchCache(int layers, int capacity, int heads, int channels) {
        keys = new Tensor[layers];
        values = new Tensor[layers];
        for (int i = 0; i < layers; i++) {
            keys[i] = torch.zeros(1, capacity, heads, channels);
            values[i] = torch.zeros(1, capacity, heads, channels);
        }
    }

    TorchCache(Llama sizes, int capacity) {
        this(sizes.layers(), capacity, sizes.heads(), sizes.channels());
    }

    long length() {
        return length;
    }

    /// Empties it.
    void clear() {
        length = 0;
    }

    /// Counts tokens that all layers have added.
    void advance(long count) {
        length += count;
    }

    Tensor keys(int layer, Tensor added) {
        return append(keys[layer], added);
    }

    Tensor values(int layer, Tensor added) {
        return append(values[layer], added);
    }

    private Tensor append(Tensor all, Tensor added) {
        long count = added.size(1);
        all.narrow(1, length, count).copy_(added);
        return all.narrow(1, 0, length + count);
    }
}
