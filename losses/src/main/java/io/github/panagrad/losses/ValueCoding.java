package io.github.panagrad.losses;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;

/// How a head says a number: by one output, held by the squared error, or by a logit a bin, held by
/// cross-entropy (Farebrother et al. 2024, Stop Regressing, arXiv 2403.03950).
///
/// ```java
/// ValueCoding coding = ValueCoding.hlGauss(-10, 10, 51, 0.75);
/// var head = new Linear(width, coding.outputs(), rng);
/// Tensor loss = coding.loss(head.call(features), numbers).mean();
/// ```
public interface ValueCoding {
    /// Returns how many outputs a number takes.
    int outputs();

    /// Returns the predicted numbers. Shapes: outputs (…, outputs) → (…).
    Tensor values(Tensor outputs);

    /// Computes the losses against numbers. Shapes: outputs (N, outputs) → (N).
    ///
    /// @param targets a number a row
    Tensor loss(Tensor outputs, double... targets);

    /// One output, and its squared error.
    static ValueCoding squaredError() {
        return new ValueCoding() {
            @Override
            public int outputs() {
                return 1;
            }

            @Override
            public Tensor values(Tensor outputs) {
                return outputs.squeeze(-1);
            }

            @Override
            public Tensor loss(Tensor outputs, double... targets) {
                return values(outputs).sub(Constants.like(outputs, targets)).square();
            }
        };
    }

    /// Bins at points, and targets shared between the two beside a number.
    static ValueCoding twoHot(double low, double high, int bins) {
        ValueBins points = ValueBins.points(low, high, bins);
        return new Binned(points, points::twoHot);
    }

    /// Bins of one width, and targets spread as a normal distribution.
    ///
    /// @param sigmaRatio the deviation in widths of a bin; 0.75 in the paper
    static ValueCoding hlGauss(double low, double high, int bins, double sigmaRatio) {
        ValueBins centres = ValueBins.centres(low, high, bins);
        centres.hlGauss(new double[] {low}, sigmaRatio);
        return new Binned(centres, values -> centres.hlGauss(values, sigmaRatio));
    }

    /// A number by bins.
    ///
    /// @param bins where the bins are
    /// @param targets makes distributions of numbers
    record Binned(ValueBins bins, Targets targets) implements ValueCoding {
        /// Makes distributions of numbers.
        @FunctionalInterface
        public interface Targets {
            /// Returns a distribution a number. Shapes: → (N, bins).
            Tensor of(double... values);
        }

        @Override
        public int outputs() {
            return bins.count();
        }

        @Override
        public Tensor values(Tensor outputs) {
            return bins.expectation(outputs);
        }

        @Override
        public Tensor loss(Tensor outputs, double... values) {
            if (outputs.rank() != 2 || outputs.dim(0) != values.length) {
                throw new PanagradException(
                        "valueCoding",
                        "outputs and numbers do not fit",
                        outputs.spec() + " and " + values.length + " numbers",
                        "[N, " + bins.count() + "] and N numbers",
                        "");
            }
            return ValueLosses.valueCrossEntropy(outputs, targets.of(values));
        }
    }
}
