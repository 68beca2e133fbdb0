/// Loss functions over engine tensors.
module io.github.panagrad.losses {
    requires static org.jspecify;
    requires transitive io.github.panagrad.engine;

    exports io.github.panagrad.losses;
}
