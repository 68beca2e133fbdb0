package io.github.panagrad.nn.metrics;

import io.github.panagrad.nn.io.JsonObject;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;
import java.util.function.ToDoubleFunction;

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

    /// Returns all figures as JSON: those of the whole, and of each class by its name.
    ///
    /// @param names a name a class
    public JsonObject json(List<String> names) {
        requireNames(names);
        var byClass = new LinkedHashMap<String, JsonObject>();
        for (int c = 0; c < classes(); c++) {
            byClass.put(
                    names.get(c),
                    JsonObject.of(
                            "precision", precision(c),
                            "recall", recall(c),
                            "f1", f1(c),
                            "support", support(c),
                            "predicted", isPredicted(c)));
        }
        return JsonObject.of(
                "accuracy", accuracy(),
                "balanced_accuracy", balancedAccuracy(),
                "mcc", mcc(),
                "macro_precision", macro(this::precision),
                "macro_recall", macro(this::recall),
                "macro_f1", macro(this::f1),
                "weighted_precision", weighted(this::precision),
                "weighted_recall", weighted(this::recall),
                "weighted_f1", weighted(this::f1),
                "confusion", Arrays.stream(confusion).map(int[]::clone).toList(),
                "classes", byClass);
    }

    /// Returns the figures as a table, a line a class, with the averages below.
    ///
    /// @param names a name a class
    public String table(List<String> names) {
        requireNames(names);
        int width = Math.max(17, names.stream().mapToInt(String::length).max().orElse(0));
        String format = "%-" + width + "s %9s %9s %9s %9s%n";
        var text = new StringBuilder();
        text.append(format.formatted("class", "precision", "recall", "F1", "rows"));
        for (int c = 0; c < classes(); c++) {
            text.append(
                    format.formatted(
                            names.get(c),
                            isPredicted(c) ? digits(precision(c)) : "never",
                            digits(recall(c)),
                            digits(f1(c)),
                            support(c)));
        }
        averages(text, format, "macro", this::macro);
        averages(text, format, "weighted", this::weighted);
        text.append(format.formatted("accuracy", "", "", digits(accuracy()), rows()));
        text.append(format.formatted("balanced accuracy", "", "", digits(balancedAccuracy()), ""));
        text.append(format.formatted("MCC", "", "", digits(mcc()), ""));
        return text.toString();
    }

    private void averages(
            StringBuilder text,
            String format,
            String name,
            ToDoubleFunction<IntToDoubleFunction> average) {
        text.append(
                format.formatted(
                        name,
                        digits(average.applyAsDouble(this::precision)),
                        digits(average.applyAsDouble(this::recall)),
                        digits(average.applyAsDouble(this::f1)),
                        rows()));
    }

    private static String digits(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }

    private void requireNames(List<String> names) {
        Checks.sameLength("classification", names.size(), classes());
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
