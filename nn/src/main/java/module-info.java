/// Modules, models, optimizers, data and model files.
module io.github.panagrad.nn {
    requires static org.jspecify;
    requires transitive io.github.panagrad.engine;
    requires io.github.panagrad.losses;
    requires tools.jackson.databind;
}
