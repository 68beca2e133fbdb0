package io.github.panagrad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.check.OpClasses;
import io.github.panagrad.engine.check.OpSuite;
import io.github.panagrad.engine.ground.Device;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class OpSuiteTest {
    @TestFactory
    Stream<DynamicNode> reference() {
        return suite(Device.REFERENCE, 1e-6);
    }

    @TestFactory
    Stream<DynamicNode> cpu() {
        return suite(Device.CPU, 4e-6);
    }

    @Test
    void findsTheOps() {
        assertThat(OpClasses.all()).hasSizeGreaterThan(15);
    }

    private static Stream<DynamicNode> suite(Device device, double tolerance) {
        return OpClasses.all().stream()
                .map(op ->
                        DynamicContainer.dynamicContainer(
                                op.getSimpleName() + " on " + device,
                                OpSuite.checks(op, device, tolerance).stream()
                                        .map(check ->
                                                DynamicTest.dynamicTest(
                                                        check.name(), check.body()::run))));
    }
}
