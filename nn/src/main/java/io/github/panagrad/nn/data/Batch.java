package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Predicate;

/// Rows of equal length to run through a model at once, row by row in flat arrays.
///
/// Shapes: ids, labels, positions and segments (B, T). The arrays are not to be modified.
///
/// @param size rows, B
/// @param length tokens of a row with padding, T
/// @param ids the tokens
/// @param labels the tokens that count, not shifted; [Example#IGNORED] elsewhere, at padding and at
///     the first token of a segment, which nothing predicts
/// @param positions where each token stands in its own sequence, from 0
/// @param segments from 1 which of a row's sequences a token belongs to, 0 for padding; tokens see
///     tokens of their own segment only
/// @param sequences the sequences in the rows, row by row
public record Batch(
        int size,
        int length,
        int[] ids,
        int[] labels,
        int[] positions,
        int[] segments,
        List<Sequence> sequences) {
    /// One example's place in a batch.
    ///
    /// @param row the row it is in
    /// @param start its first token in the row
    /// @param length its tokens
    /// @param example its number in the data set
    /// @param tag its tag
    public record Sequence(int row, int start, int length, int example, int tag) {}

    /// Lays examples out in rows.
    ///
    /// @param rows for each row the numbers of its examples
    static Batch of(List<Example> examples, List<int[]> rows, int length, int padId) {
        int n = Math.multiplyExact(rows.size(), length);
        int[] ids = new int[n];
        int[] labels = new int[n];
        int[] positions = new int[n];
        int[] segments = new int[n];
        Arrays.fill(ids, padId);
        Arrays.fill(labels, Example.IGNORED);
        var sequences = new ArrayList<Sequence>();
        for (int row = 0; row < rows.size(); row++) {
            int start = 0;
            int segment = 0;
            for (int index : rows.get(row)) {
                Example example = examples.get(index);
                int m = example.length();
                int at = row * length + start;
                System.arraycopy(example.inputIds(), 0, ids, at, m);
                System.arraycopy(example.labels(), 1, labels, at + 1, m - 1);
                segment++;
                for (int t = 0; t < m; t++) {
                    positions[at + t] = t;
                    segments[at + t] = segment;
                }
                sequences.add(new Sequence(row, start, m, index, example.tag()));
                start += m;
            }
        }
        return new Batch(
                rows.size(), length, ids, labels, positions, segments, List.copyOf(sequences));
    }

    /// Returns a batch of some of the sequences only; rows that are left empty are left out.
    ///
    /// @throws PanagradException if there is none
    public Batch only(Predicate<Sequence> which) {
        var rows = new TreeMap<Integer, List<Sequence>>();
        sequences.stream()
                .filter(which)
                .forEach(s -> rows.computeIfAbsent(s.row(), r -> new ArrayList<>()).add(s));
        if (rows.isEmpty()) {
            throw new PanagradException("batch", "no such sequence", toString(), "one or more", "");
        }
        int longest = 0;
        for (List<Sequence> row : rows.values()) {
            longest = Math.max(longest, row.stream().mapToInt(Sequence::length).sum());
        }
        int n = rows.size() * longest;
        int[] keptIds = new int[n];
        int[] keptLabels = new int[n];
        int[] keptPositions = new int[n];
        int[] keptSegments = new int[n];
        Arrays.fill(keptLabels, Example.IGNORED);
        var kept = new ArrayList<Sequence>();
        int row = 0;
        for (List<Sequence> members : rows.values()) {
            int start = 0;
            int segment = 0;
            for (Sequence s : members) {
                int from = s.row() * length + s.start();
                int to = row * longest + start;
                System.arraycopy(ids, from, keptIds, to, s.length());
                System.arraycopy(labels, from, keptLabels, to, s.length());
                System.arraycopy(positions, from, keptPositions, to, s.length());
                segment++;
                Arrays.fill(keptSegments, to, to + s.length(), segment);
                kept.add(new Sequence(row, start, s.length(), s.example(), s.tag()));
                start += s.length();
            }
            row++;
        }
        return new Batch(
                row, longest, keptIds, keptLabels, keptPositions, keptSegments, List.copyOf(kept));
    }

    /// Returns what each position is to predict: the label of the next one. Shapes: (B, T).
    public int[] targets() {
        int[] targets = new int[labels.length];
        for (int i = 0; i < targets.length; i++) {
            boolean last = (i + 1) % length == 0;
            targets[i] = last ? Example.IGNORED : labels[i + 1];
        }
        return targets;
    }

    /// Returns 1 for tokens and 0 for padding. Shapes: (B, T).
    public byte[] mask() {
        byte[] mask = new byte[segments.length];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = (byte) (segments[i] == 0 ? 0 : 1);
        }
        return mask;
    }

    /// Returns how many tokens each row has before its padding. Shapes: (B).
    public int[] lengths() {
        int[] lengths = new int[size];
        for (Sequence s : sequences) {
            lengths[s.row()] += s.length();
        }
        return lengths;
    }

    /// Returns each token's tag, 0 at padding. Shapes: (B, T).
    public int[] tags() {
        int[] tags = new int[ids.length];
        for (Sequence s : sequences) {
            int from = s.row() * length + s.start();
            Arrays.fill(tags, from, from + s.length(), s.tag());
        }
        return tags;
    }

    /// Tells whether a row has more than one sequence, so that attention has to keep them apart.
    public boolean isPacked() {
        return sequences.size() > size;
    }

    /// Tells whether a row ends in padding.
    public boolean isPadded() {
        return tokens() < ids.length;
    }

    /// Returns the number of tokens without padding.
    public int tokens() {
        int n = 0;
        for (Sequence s : sequences) {
            n += s.length();
        }
        return n;
    }

    /// Returns how many tokens are predicted: what a mean loss divides by.
    public int predicted() {
        int n = 0;
        for (int label : labels) {
            n += label == Example.IGNORED ? 0 : 1;
        }
        return n;
    }

    @Override
    public String toString() {
        return "batch ("
                + size
                + ", "
                + length
                + ") of "
                + sequences.size()
                + " sequences, "
                + predicted()
                + " predicted";
    }
}
