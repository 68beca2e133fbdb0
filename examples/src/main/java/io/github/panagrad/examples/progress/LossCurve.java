package io.github.panagrad.examples.progress;

import io.github.panagrad.engine.ground.PanagradException;
import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// Draws the loss over the steps as a picture.
///
/// Single steps are noisy, so their running mean is drawn over them.
public final class LossCurve {
    private static final Color FAINT = new Color(0x9e, 0xc3, 0xe6);
    private static final Color STRONG = new Color(0x1f, 0x4e, 0x8c);
    private static final Color OTHER = new Color(0xc0, 0x50, 0x20);

    private final List<Double> steps = new ArrayList<>();
    private final List<Double> losses = new ArrayList<>();
    private final List<Double> heldOutSteps = new ArrayList<>();
    private final List<Double> heldOutLosses = new ArrayList<>();

    /// Adds the loss of a training step.
    public void step(long step, double loss) {
        steps.add((double) step);
        losses.add(loss);
    }

    /// Adds a loss on data that is not trained on.
    public void heldOut(long step, double loss) {
        heldOutSteps.add((double) step);
        heldOutLosses.add(loss);
    }

    /// Tells whether there is nothing to draw.
    public boolean isEmpty() {
        return steps.isEmpty();
    }

    /// Writes the picture as PNG.
    ///
    /// @param file where to
    /// @throws PanagradException if there is nothing to draw or the file cannot be written
    public void save(Path file, String title) {
        if (isEmpty()) {
            throw new PanagradException("loss curve: no steps to draw in " + file);
        }
        XYChart chart =
                new XYChartBuilder()
                        .width(900)
                        .height(560)
                        .title(title)
                        .xAxisTitle("step")
                        .yAxisTitle("loss (nats per token)")
                        .build();
        chart.getStyler().setLegendPosition(LegendPosition.InsideNE);
        chart.getStyler().setXAxisMin(0.0);
        chart.getStyler().setXAxisTickMarkSpacingHint(100);
        chart.getStyler().setChartBackgroundColor(Color.WHITE);
        line(chart, "each step", steps, losses, FAINT, 1);
        line(chart, "running mean", steps, smoothed(losses), STRONG, 2.5f);
        if (!heldOutSteps.isEmpty()) {
            line(chart, "held out", heldOutSteps, heldOutLosses, OTHER, 2.5f)
                    .setMarker(SeriesMarkers.CIRCLE);
        }
        try {
            Files.write(file, ChartEncoder.getBytes(chart, "png"));
        } catch (IOException unwritable) {
            throw new PanagradException(
                    file + ": the loss curve cannot be written; " + unwritable, unwritable);
        }
    }

    private static XYSeries line(
            XYChart chart, String name, List<Double> x, List<Double> y, Color color, float width) {
        XYSeries series = chart.addSeries(name, x, y);
        series.setMarker(SeriesMarkers.NONE);
        series.setMarkerColor(color);
        series.setLineColor(color);
        series.setLineStyle(new BasicStroke(width));
        return series;
    }

    /// Averages over about a fortieth of the steps, corrected for the start as in Adam.
    static List<Double> smoothed(List<Double> values) {
        double keep = 1 - 1.0 / Math.max(1, values.size() / 40.0);
        List<Double> means = new ArrayList<>(values.size());
        double sum = 0;
        double weight = 0;
        for (double value : values) {
            sum = keep * sum + (1 - keep) * value;
            weight = keep * weight + (1 - keep);
            means.add(sum / weight);
        }
        return means;
    }
}
