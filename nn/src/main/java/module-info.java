/// Modules, models, optimizers, data and model files.
module io.github.panagrad.nn {
    requires static org.jspecify;
    requires transitive io.github.panagrad.engine;
    requires io.github.panagrad.losses;
    requires ai.djl.api;
    requires ai.djl.tokenizers;
    requires ejml.core;
    requires ejml.ddense;
    requires tools.jackson.core;

    exports io.github.panagrad.nn.data;
    exports io.github.panagrad.nn.io;
    exports io.github.panagrad.nn.linalg;
}
