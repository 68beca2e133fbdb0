/// The TornadoVM backend of Panagrad; takes part in the build only where an SDK is installed.
module io.github.panagrad.tornado {
    requires static org.jspecify;
    requires tornado.api;
    // the SDK's argument file adds it
    requires static tornado.runtime;
    requires transitive io.github.panagrad.engine;

    exports io.github.panagrad.tornado;

    provides io.github.panagrad.engine.spi.Backend with
            io.github.panagrad.tornado.TornadoBackend;
    provides uk.ac.manchester.tornado.runtime.library.spi.TornadoLibraryProvider with
            io.github.panagrad.tornado.cublas.CuBlasProvider;
}
