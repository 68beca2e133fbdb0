package io.github.panagrad.engine.cpu;

/// How the logits, tokens × vocabulary, are cut into blocks of which one exists at a time.
///
/// @param tokens tokens of a block
/// @param vocabulary columns of a block
/// @param wholeRows whether a block holds all logits of its tokens
record HeadBlocks(int tokens, int vocabulary, boolean wholeRows) {
    /// With fewer tokens in a block than this, reading and writing the whole gradient of the weight
    /// for every block costs more than computing the logits a second time.
    static final int LEAST_WHOLE_ROWS = 128;

    private static final int LEAST_COLUMNS = 256;

    /// Blocks of logits that are looked at once stay in the shared cache.
    private static final long CACHED_BYTES = 8L << 20;

    /// Cuts for one pass over whole rows if the budget allows it, else for two passes over parts.
    static HeadBlocks of(int tokens, int vocabulary, long bytes) {
        long rows = bytes / Float.BYTES / vocabulary;
        if (rows >= Math.min(tokens, LEAST_WHOLE_ROWS)) {
            return new HeadBlocks(even(tokens, (int) Math.min(tokens, rows), 8), vocabulary, true);
        }
        return parts(tokens, vocabulary, bytes);
    }

    /// Cuts for passes that look at parts of rows.
    static HeadBlocks parts(int tokens, int vocabulary, long bytes) {
        long floats = Math.max(1, Math.min(bytes, CACHED_BYTES) / Float.BYTES);
        int columns = (int) Math.min(vocabulary, Math.max(1, floats / tokens));
        int rows = tokens;
        if (columns < Math.min(vocabulary, LEAST_COLUMNS)) {
            rows = Math.clamp(floats / LEAST_COLUMNS, 1, tokens);
            columns = (int) Math.min(vocabulary, Math.max(1, floats / rows));
        }
        return new HeadBlocks(
                even(tokens, rows, 8), even(vocabulary, columns, 48), columns == vocabulary);
    }

    /// Returns the same blocks, to be looked at twice even if they hold whole rows.
    HeadBlocks inParts() {
        return new HeadBlocks(tokens, vocabulary, false);
    }

    /// Returns blocks of at most so many tokens and columns.
    HeadBlocks atMost(int mostTokens, int mostColumns) {
        return new HeadBlocks(
                Math.min(tokens, mostTokens),
                Math.min(vocabulary, mostColumns),
                wholeRows && vocabulary <= mostColumns);
    }

    /// Returns blocks that can be cut into smaller ones, `high` tokens by `wide` columns, where the
    /// last ones are cut off by the end of all tokens and of the vocabulary only.
    HeadBlocks cutInto(int high, int wide, int allTokens, int allColumns) {
        int rows = tokens >= allTokens ? tokens : multiple(tokens, high);
        int columns = vocabulary >= allColumns ? vocabulary : multiple(vocabulary, wide);
        return new HeadBlocks(rows, columns, wholeRows);
    }

    private static int multiple(int n, int of) {
        return Math.max(1, n / of) * of;
    }

    /// Cuts `n` into equal parts of at most `most`, multiples of `step` if that is possible.
    private static int even(int n, int most, int step) {
        int parts = (n + most - 1) / most;
        int size = (n + parts - 1) / parts;
        int rounded = (size + step - 1) / step * step;
        return rounded <= most ? rounded : size;
    }
}
