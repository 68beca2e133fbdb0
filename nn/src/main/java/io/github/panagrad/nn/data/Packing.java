package io.github.panagrad.nn.data;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;

/// Decides which sequences share a row.
final class Packing {
    private Packing() {}

    /// Puts each item, in order, into the row with the least room that is still enough, of equals
    /// the one that has waited longest; rows come in the order in which they were begun.
    ///
    /// Takes n·log n steps for n items, and no more than 1.7 times the rows that the best packing
    /// takes (Johnson et al., SIAM J. Comput. 3(4), 1974).
    ///
    /// @param order the items
    /// @param length the length of an item, at most `capacity`
    /// @param capacity the length of a row
    static List<int[]> bestFit(int[] order, IntUnaryOperator length, int capacity) {
        var rows = new ArrayList<List<Integer>>();
        var byRoom = new TreeMap<Integer, ArrayDeque<Integer>>();
        for (int item : order) {
            int needed = length.applyAsInt(item);
            var fitting = byRoom.ceilingEntry(needed);
            int row;
            int room;
            if (fitting == null) {
                row = rows.size();
                room = capacity;
                rows.add(new ArrayList<>());
            } else {
                row = fitting.getValue().poll();
                room = fitting.getKey();
                if (fitting.getValue().isEmpty()) {
                    byRoom.remove(room);
                }
            }
            rows.get(row).add(item);
            if (room > needed) {
                byRoom.computeIfAbsent(room - needed, r -> new ArrayDeque<>()).add(row);
            }
        }
        var packed = new ArrayList<int[]>(rows.size());
        for (List<Integer> row : rows) {
            packed.add(row.stream().mapToInt(Integer::intValue).toArray());
        }
        return packed;
    }
}
