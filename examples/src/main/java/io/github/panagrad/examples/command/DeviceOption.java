package io.github.panagrad.examples.command;

import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.spi.Backends;
import picocli.CommandLine.Option;

/// Says where the work is done.
final class DeviceOption {
    private Device device = Device.CPU;

    DeviceOption() {}

    /// Sets the device; what cannot be used is refused at once, before anything is loaded.
    @Option(
            names = "--device",
            paramLabel = "NAME[:N]",
            description =
                    "Where to compute: cpu, or tornado for a GPU or another device of TornadoVM,"
                            + " tornado:1 for its second one; info lists them. Default: cpu.")
    void device(String name) {
        Device wanted = Device.parse(name);
        Backends.of(wanted);
        device = wanted;
    }

    Device device() {
        return device;
    }
}
