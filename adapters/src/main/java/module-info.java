/// Adapters and masks for parameter-efficient fine-tuning.
module io.github.panagrad.adapters {
    requires static org.jspecify;
    requires transitive io.github.panagrad.engine;
    requires transitive io.github.panagrad.nn;

    exports io.github.panagrad.adapters;
    exports io.github.panagrad.adapters.delta;
    exports io.github.panagrad.adapters.spectra;
    exports io.github.panagrad.adapters.sparse;
}
