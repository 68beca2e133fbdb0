package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.spi.View;

/// How to walk operands that are repeated to one shape, in as few dimensions as possible.
///
/// Dimensions that all operands can walk as one are joined, so that contiguous operands and scalars
/// have one dimension, and rows or columns that repeat have two: kernels take an element's number
/// apart once for each dimension but the first.
///
/// @param n elements of the shape
/// @param rank dimensions that are left
/// @param extents their extents, [Places#RANK] numbers
/// @param strides each operand's strides, [Places#RANK] numbers each
record Walk(int n, int rank, int[] extents, int[][] strides) {
    /// Joins what can be joined.
    static Walk of(Shape shape, View... in) {
        int[] extents = Places.extents(shape);
        int[][] strides = new int[in.length][];
        for (int k = 0; k < in.length; k++) {
            strides[k] = Places.strides(in[k], shape);
        }
        int rank = 0;
        for (int d = 0; d < Places.RANK; d++) {
            if (extents[d] == 1) {
                continue;
            }
            boolean joins = rank > 0 && joins(strides, rank - 1, d, extents[d]);
            int to = joins ? rank - 1 : rank++;
            extents[to] = joins ? extents[to] * extents[d] : extents[d];
            for (int[] own : strides) {
                own[to] = own[d];
            }
        }
        return new Walk(shape.intSize(), rank, extents, strides);
    }

    private static boolean joins(int[][] strides, int outer, int inner, int extent) {
        for (int[] own : strides) {
            if (own[outer] != own[inner] * extent) {
                return false;
            }
        }
        return true;
    }

    /// Tells whether operands have few enough dimensions.
    static boolean suits(View... in) {
        for (View view : in) {
            if (view.shape().rank() > Places.RANK) {
                return false;
            }
        }
        return true;
    }

    /// Appends the walk to the numbers that head a launch: rank, extents, strides of each operand.
    int[] after(int... head) {
        int[] own = new int[1 + (1 + strides.length) * Places.RANK];
        own[0] = rank;
        System.arraycopy(extents, 0, own, 1, Places.RANK);
        for (int k = 0; k < strides.length; k++) {
            System.arraycopy(strides[k], 0, own, 1 + (1 + k) * Places.RANK, Places.RANK);
        }
        return Places.join(head, own);
    }
}
