package io.github.panagrad.nn;

import java.util.ArrayList;
import java.util.List;

/// Says of a family of models which path is of which category and block.
public final class ParamTable {
    private record Rule(PathPattern paths, ParamCategory category) {}

    private final PathPattern blocks;
    private final List<Rule> rules;

    private ParamTable(PathPattern blocks, List<Rule> rules) {
        this.blocks = blocks;
        this.rules = rules;
    }

    /// Creates a table without categories.
    ///
    /// @param blocks the path of the list that holds the blocks, such as `**.layers`
    public static ParamTable blocksAt(String blocks) {
        return new ParamTable(PathPattern.of(blocks), List.of());
    }

    /// Returns the table with a rule more; the first rule that matches a path decides.
    public ParamTable with(ParamCategory category, String paths) {
        var more = new ArrayList<>(rules);
        more.add(new Rule(PathPattern.of(paths), category));
        return new ParamTable(blocks, List.copyOf(more));
    }

    /// Returns the category of a parameter's path, [ParamCategory#OTHER] where no rule matches.
    public ParamCategory category(String path) {
        for (Rule rule : rules) {
            if (rule.paths.matches(path)) {
                return rule.category;
            }
        }
        return ParamCategory.OTHER;
    }

    /// Returns the number of the block that a path lies in, −1 outside of all blocks.
    public int block(String path) {
        for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
            if (blocks.matches(path.substring(0, dot))) {
                int end = path.indexOf('.', dot + 1);
                String number = path.substring(dot + 1, end < 0 ? path.length() : end);
                if (!number.isEmpty() && number.chars().allMatch(Character::isDigit)) {
                    return Integer.parseInt(number);
                }
            }
        }
        return -1;
    }
}
