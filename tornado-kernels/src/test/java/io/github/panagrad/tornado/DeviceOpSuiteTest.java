package io.github.panagrad.tornado;

import io.github.panagrad.engine.check.OpClasses;
import io.github.panagrad.engine.check.OpSuite;
import io.github.panagrad.engine.ground.Device;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Every op on the device, those without a kernel of its own too, against the reference.
class DeviceOpSuiteTest {
    /// Relative to the largest value of a result; as on the CPU.
    private static final double TOLERANCE = 4e-6;

    /// The device holds no tensors of blocks, and says so.
    private static boolean isOfBlocks(OpSuite.Check check) {
        return check.name().contains("dtype=Q8") || check.name().contains("dtype=NF4");
    }

    @TestFactory
    Stream<DynamicNode> device() {
        Device device = new Device(TornadoBackend.NAME, 0);
        return OpClasses.all().stream()
                .map(op ->
                        DynamicContainer.dynamicContainer(
                                op.getSimpleName() + " on " + device,
                                OpSuite.checks(op, device, TOLERANCE).stream()
                                        .filter(check -> !isOfBlocks(check))
                                        .map(check ->
                                                DynamicTest.dynamicTest(
                                                        check.name(), check.body()::run))));
    }
}
