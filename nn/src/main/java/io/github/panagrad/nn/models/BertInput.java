package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Rows of tokens for an encoder, filled up to one length.
///
/// @param ids tokens, I32 (B, T)
/// @param mask which of them are there, BOOL (B, T)
/// @param types token types, I32 (B, T); null for all 0
public record BertInput(Tensor ids, Tensor mask, @Nullable Tensor types) {
    /// Checks that the shapes agree.
    public BertInput {
        boolean fits =
                ids.rank() == 2
                        && mask.shape().equals(ids.shape())
                        && mask.dtype() == DType.BOOL
                        && (types == null || types.shape().equals(ids.shape()));
        if (!fits) {
            throw new PanagradException(
                    "encoder",
                    "inputs do not fit",
                    "ids " + ids.spec() + ", mask " + mask.spec(),
                    "ids i32[B,T] and mask bool[B,T]",
                    "");
        }
    }

    /// Copies the rows to another device; returns these if they are there already.
    public BertInput to(Device device) {
        return ids.device().equals(device)
                ? this
                : new BertInput(
                        ids.to(device), mask.to(device), types == null ? null : types.to(device));
    }

    /// Fills rows of different lengths up to the longest.
    ///
    /// @param pad the token to fill with
    public static BertInput of(List<int[]> rows, int pad) {
        int length = rows.stream().mapToInt(row -> row.length).max().orElse(0);
        if (length == 0) {
            throw new PanagradException("encoder", "no tokens", rows.size() + " rows", "", "");
        }
        int[] ids = new int[rows.size() * length];
        byte[] mask = new byte[ids.length];
        Arrays.fill(ids, pad);
        for (int i = 0; i < rows.size(); i++) {
            int[] row = rows.get(i);
            System.arraycopy(row, 0, ids, i * length, row.length);
            Arrays.fill(mask, i * length, i * length + row.length, (byte) 1);
        }
        Shape shape = Shape.of(rows.size(), length);
        return new BertInput(
                Ops.indices(ids, rows.size(), length),
                new Tensor(HeapStorage.of(mask), Layout.contiguous(shape), Device.CPU, null),
                null);
    }
}
