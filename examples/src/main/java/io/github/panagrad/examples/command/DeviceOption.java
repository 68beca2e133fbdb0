package io.github.panagrad.examples.command;

import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.spi.Backends;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// Says where the work is done.
final class DeviceOption {
    /// Why there may be no such backend.
    static final String NO_TORNADO =
            "not in this jar: install a TornadoVM SDK, point TORNADOVM_HOME at it and build again";

    private static final String TORNADO = "tornado";

    @Option(
            names = "--device",
            paramLabel = "NAME[:N]",
            converter = Usable.class,
            description =
                    "Where to compute: cpu, or tornado for a GPU or another device of TornadoVM,"
                            + " tornado:1 for its second one; info lists them. Default: cpu.")
    private Device device = Device.CPU;

    DeviceOption() {}

    Device device() {
        return device;
    }

    /// Tells whether the jar was built without the TornadoVM backend.
    static boolean lacksTornado() {
        return !Backends.all().containsKey(TORNADO);
    }

    /// Refuses a device that cannot be used at once, before anything is loaded.
    static final class Usable implements ITypeConverter<Device> {
        @Override
        public Device convert(String name) {
            try {
                Device wanted = Device.parse(name);
                if (wanted.backend().equals(TORNADO) && lacksTornado()) {
                    throw new TypeConversionException("the TornadoVM backend is " + NO_TORNADO);
                }
                Backends.of(wanted);
                return wanted;
            } catch (PanagradException unusable) {
                throw new TypeConversionException(unusable.getMessage());
            }
        }
    }
}
