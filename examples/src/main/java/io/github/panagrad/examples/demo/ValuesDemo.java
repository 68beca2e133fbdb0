package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.examples.rl.Plasticity;
import io.github.panagrad.examples.rl.ValueArm;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Follows targets that move away from zero: values by classification beside squared error; see
/// [Plasticity].
final class ValuesDemo implements Demonstration {
    private static final int IMAGES = 2000;

    @Override
    public String name() {
        return "values";
    }

    @Override
    public List<String> shows() {
        return List.of("ValueRegression", "ValueCoding");
    }

    @Override
    public String setting() {
        return "A network 784-128-128 on 2000 images of MNIST's test set follows sin(10⁵·f(x)) + b for"
                + " random networks f and b = 0, 8, 16, 24, 32 in turn, 150 steps of 128 images each;"
                + " the mean squared error after three of the phases. 101 bins from −40 to 40.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower(
                        "HL-Gauss", "error at b = 32", "HL-Gauss still learns at the last shift"),
                Claim.lower("two-hot", "error at b = 32", "so does two-hot"),
                Claim.lower("HL-Gauss", "error at b = 0", "HL-Gauss is better from the start"));
    }

    @Override
    public int usualSeeds() {
        return 4;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        Tensor all = Plasticity.readImages(trial.path("datasets/mnist/t10k-images-idx3-ubyte.gz"));
        Tensor images = all.narrow(0, 0, trial.rows(IMAGES)).copy();
        Map<String, ValueArm> arms = new LinkedHashMap<>();
        arms.put("squared error", ValueArm.MSE);
        arms.put("two-hot", ValueArm.TWO_HOT);
        arms.put("HL-Gauss", ValueArm.HL_GAUSS);
        double[] shifts = Plasticity.shifts();
        arms.forEach((arm, how) -> {
            double[] errors = new Plasticity(images, how, trial.steps(150), trial.seed()).run();
            for (int phase = 0; phase < shifts.length; phase += 2) {
                figures.add(arm, "error at b = " + (int) shifts[phase], errors[phase]);
            }
        });
    }
}
