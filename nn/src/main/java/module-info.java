/// Modules, models, optimizers, data and model files.
module io.github.panagrad.nn {
    requires static org.jspecify;
    requires transitive io.github.panagrad.engine;
    requires transitive io.github.panagrad.losses;
    requires ai.djl.api;
    requires ai.djl.tokenizers;
    requires ejml.core;
    requires ejml.ddense;
    requires tools.jackson.core;

    exports io.github.panagrad.nn;
    exports io.github.panagrad.nn.data;
    exports io.github.panagrad.nn.drift;
    exports io.github.panagrad.nn.generate;
    exports io.github.panagrad.nn.io;
    exports io.github.panagrad.nn.layers;
    exports io.github.panagrad.nn.linalg;
    exports io.github.panagrad.nn.metrics;
    exports io.github.panagrad.nn.models;
    exports io.github.panagrad.nn.objective;
    exports io.github.panagrad.nn.optim;
    exports io.github.panagrad.nn.retrieval;
    exports io.github.panagrad.nn.train;
}
