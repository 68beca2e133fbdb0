/// The TornadoVM side of Panagrad; takes part in the build only where an SDK is installed.
module io.github.panagrad.tornado {
    requires static org.jspecify;
    requires transitive io.github.panagrad.engine;

    exports io.github.panagrad.tornado;
}
