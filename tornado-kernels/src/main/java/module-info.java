/// The TornadoVM backend of Panagrad; takes part in the build only where an SDK is installed.
module io.github.panagrad.tornado {
    requires static org.jspecify;
    requires tornado.api;
    requires transitive io.github.panagrad.engine;

    exports io.github.panagrad.tornado;

    provides io.github.panagrad.engine.spi.Backend with
            io.github.panagrad.tornado.TornadoBackend;
}
