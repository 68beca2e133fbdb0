package io.github.panagrad.nn.metrics;

import java.util.function.IntToDoubleFunction;

/// How predicted labels agree with true ones.
///
/// A class that is never predicted has precision 0, one that never occurs recall 0; see
/// [#isPredicted].
///
/// @param confusion how many rows of each true class (first index) were given each label. Not to be
///     modified
@SuppressWarnings("ArrayRecordComponent")
public record ClassificationReport(int[][] confusion) {
    /// Compares labels.
    ///
    /// @param classes how many labels there are
    public static ClassificationReport of(int[] truth, int[] predicted, int classes) {
        Checks.sameLength("classification", truth.length, predicted.length);
        int[][] confusion = new int[classes][classes];
        for (int i = 0; i < truth.length; i++) {
            Checks.label("classification", truth[i], classes);
            Checks.label("classification", predicted[i], classes);
            confusion[truth[i]][predicted[i]]++;
        }
        return new ClassificationReport(confusion);
    }

    /// Returns how many classes there are.
    public int classes() {
        return confusion.length;
    }

    /// Returns how many rows are of a class.
    public int support(int label) {
        int n = 0;
        for (int count : confusion[label]) {
            n += count;
        }
        return n;
    }

    /// Returns how many rows were given a label.
    public int predictions(int label) {
        int n = 0;
        for (int[] row : confusion) {
            n += row[label];
        }
        return n;
    }

    /// Tells whether any row was given a label; otherwise its precision, 0, means nothing.
    public boolean isPredicted(int label) {
        return predictions(label) > 0;
    }

    /// Returns the share of a label's predictions that is right.
    public double precision(int label) {
        return ratio(confusion[label][label], predictions(label));
    }

    /// Returns the share of a class's rows that was found.
    public double recall(int label) {
        return ratio(confusion[label][label], support(label));
    }

    /// Returns the harmonic mean of precision and recall.
    public double f1(int label) {
        return ratio(2.0 * confusion[label][label], predictions(label) + support(label));
    }

    /// Returns the share of rows with the right label: also the micro average of precision, recall
    /// and F1, and the weighted recall.
    public double accuracy() {
        double right = 0;
        for (int c = 0; c < classes(); c++) {
            right += confusion[c][c];
        }
        return right / rows();
    }

    /// Returns the mean recall of the classes that occur.
    public double balancedAccuracy() {
        double sum = 0;
        int present = 0;
        for (int c = 0; c < classes(); c++) {
            sum += recall(c);
            present += support(c) > 0 ? 1 : 0;
        }
        return sum / present;
    }

    /// Returns the mean over classes of a figure, such as `report::f1`.
    public double macro(IntToDoubleFunction figure) {
        double sum = 0;
        for (int c = 0; c < classes(); c++) {
            sum += figure.applyAsDouble(c);
        }
        return sum / classes();
    }

    /// Returns the mean over rows of their class's figure, such as `report::recall`.
    public double weighted(IntToDoubleFunction figure) {
        double sum = 0;
        for (int c = 0; c < classes(); c++) {
            sum += figure.applyAsDouble(c) * support(c);
        }
        return sum / rows();
    }

    /// Returns Matthews' correlation of true and predicted labels, −1 to 1; 0 if either are all one.
    ///
    /// Source: Gorodkin 2004, for any number of classes.
    public double mcc() {
        double n = rows();
        double truthSquares = 0;
        double predictedSquares = 0;
        double cross = 0;
        for (int c = 0; c < classes(); c++) {
            double s = support(c);
            double p = predictions(c);
            truthSquares += s * s;
            predictedSquares += p * p;
            cross += s * p;
        }
        double spread = (n * n - truthSquares) * (n * n - predictedSquares);
        return spread == 0 ? 0 : (accuracy() * n * n - cross) / Math.sqrt(spread);
    }

    private int rows() {
        int n = 0;
        for (int c = 0; c < classes(); c++) {
            n += support(c);
        }
        return n;
    }

    private static double ratio(double part, double whole) {
        return whole == 0 ? 0 : part / whole;
    }
}
