package io.github.panagrad.tornado.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.tornado.cublas.Precision;
import io.github.panagrad.tornado.device.PanagradDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

@ResourceLock(Resources.SYSTEM_PROPERTIES)
class CuBlasProductsTest {
    private static final int MEGABYTES = 16;

    private final PanagradDevice device =
            new PanagradDevice(
                    new Device("tornado", 0),
                    TornadoRuntimeProvider.getTornadoRuntime().getBackend(0).getDevice(0),
                    MEGABYTES);

    @Test
    void refusesToRoundWhereThereAreNoTensorCores() {
        assumeThat(device.isCuda()).isFalse();
        assertThat(CuBlasProducts.of(device)).isEmpty();

        System.setProperty(Precision.PROPERTY, "tf32");
        try {
            assertThatThrownBy(() -> CuBlasProducts.of(device))
                    .isInstanceOf(PanagradException.class)
                    .hasMessageContaining("got tf32")
                    .hasMessageContaining("leave it out");
        } finally {
            System.clearProperty(Precision.PROPERTY);
        }
    }

    @Test
    void canBeDoneWithout() {
        System.setProperty(Precision.PROPERTY, "java");
        try {
            assertThat(CuBlasProducts.of(device)).isEmpty();
            assertThat(new MatMulKernels(device).hasLibrary()).isFalse();
        } finally {
            System.clearProperty(Precision.PROPERTY);
        }
    }
}
