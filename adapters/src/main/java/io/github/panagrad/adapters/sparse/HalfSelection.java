package io.github.panagrad.adapters.sparse;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.ParamSelection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// Draws which half of a model's parameters trains in a round; the rest stays as it is.
///
/// A weight and its bias stay together. What lies outside of all blocks (embeddings, the last
/// normalisation, the head) is not drawn: it trains, or does not.
///
/// Source: half fine-tuning (HFT), Hui et al., ACL 2025, arXiv 2404.18466.
///
/// @param level what is drawn
/// @param fraction the share that trains, from above 0 to 1
/// @param seed of the draws
/// @param outside what becomes of parameters outside of all blocks
public record HalfSelection(Level level, double fraction, long seed, Outside outside) {
    /// What is drawn.
    public enum Level {
        /// Half of each block's attention matrices, feed-forward matrices and normalisations.
        CATEGORY,
        /// Whole blocks.
        LAYER,
        /// Matrices and normalisations, whichever block they are in.
        MODEL
    }

    /// What becomes of parameters outside of all blocks. The source does not settle it.
    public enum Outside {
        /// They train, unless most of the model is an embedding that is its head too.
        AUTO,
        /// They train.
        TRAIN,
        /// They stay as they are.
        FREEZE
    }

    /// Checks the fraction.
    public HalfSelection {
        if (!(fraction > 0 && fraction <= 1)) {
            throw new PanagradException(
                    "half selection",
                    "fraction out of range",
                    "" + fraction,
                    "above 0, at most 1",
                    fraction == 0 ? "freeze the model instead" : "");
        }
    }

    /// Draws in each block: half of the attention matrices, in a random half of the blocks one and
    /// in the others two of three feed-forward matrices, half of the normalisations.
    public static HalfSelection category(double fraction, long seed) {
        return new HalfSelection(Level.CATEGORY, fraction, seed, Outside.AUTO);
    }

    /// Draws whole blocks.
    public static HalfSelection layer(double fraction, long seed) {
        return new HalfSelection(Level.LAYER, fraction, seed, Outside.AUTO);
    }

    /// Draws matrices and normalisations from all blocks together.
    public static HalfSelection model(double fraction, long seed) {
        return new HalfSelection(Level.MODEL, fraction, seed, Outside.AUTO);
    }

    /// Sets what becomes of parameters outside of all blocks.
    public HalfSelection outside(Outside value) {
        return new HalfSelection(level, fraction, seed, value);
    }

    /// Tells whether a model's parameters outside of all blocks train.
    public boolean trainsOutside(ParamSelection all) {
        return switch (outside) {
            case TRAIN -> true;
            case FREEZE -> false;
            case AUTO ->
                    fraction == 1
                            || all.in(ParamCategory.HEAD).size() > 0
                            || 2 * all.in(ParamCategory.EMBED).count() <= all.count();
        };
    }

    /// Draws the parameters that train in a round; the same ones for the same seed and round.
    ///
    /// @param all parameters with their categories and blocks, in the model's order
    /// @param round the number of the round, from 0
    /// @throws PanagradException if nothing would train
    public ParamSelection draw(ParamSelection all, int round) {
        Rng rng = Rng.of(seed);
        rng.seek((long) round << Integer.SIZE);
        var units = new HalfUnits(all, fraction, rng);
        Set<Parameter> drawn =
                switch (level) {
                    case CATEGORY -> units.byCategory();
                    case LAYER -> units.byBlock();
                    case MODEL -> units.anywhere();
                };
        boolean others = trainsOutside(all);
        ParamSelection half =
                all.where(e -> e.block() < 0 ? others : drawn.contains(e.parameter()));
        if (half.size() == 0) {
            throw new PanagradException(
                    "half selection",
                    "nothing would train",
                    fraction + " of " + all,
                    "a share that holds a matrix",
                    "");
        }
        return half;
    }

    /// Sets the parameters that are not drawn back to other values, such as those from before
    /// full fine-tuning (half reset, the same source, section 2).
    ///
    /// @param base values by path; for every parameter
    /// @return the parameters that were set back
    public ParamSelection reset(ParamSelection all, Map<String, ? extends Tensor> base, int round) {
        var kept = new HashSet<Parameter>(draw(all, round).parameters());
        ParamSelection rest = all.where(e -> !kept.contains(e.parameter()));
        var values = new LinkedHashMap<Parameter, Tensor>();
        for (ParamSelection.Entry entry : rest) {
            Tensor value = base.get(entry.path());
            if (value == null || !value.shape().equals(entry.parameter().shape())) {
                throw new PanagradException(
                        "half reset",
                        "the base does not fit parameter " + entry.path(),
                        value == null ? "none of that path" : value.spec().toString(),
                        entry.parameter().spec().toString(),
                        "take the model that fine-tuning began with");
            }
            values.put(entry.parameter(), value);
        }
        values.forEach(Parameter::assign);
        return rest;
    }
}
