package io.github.panagrad.adapters.spectra;

import java.util.Locale;

/// Draws a report's cosines as tables of coloured cells, one HTML page that needs nothing beside it.
final class HeatMaps {
    private static final String HEAD =
            """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>Singular vectors</title><style>
            body { font-family: sans-serif; margin: 2em; color: #222 }
            table { border-collapse: collapse; margin: 0.5em 0 1.5em }
            td, th { font-size: 11px; font-weight: normal; text-align: center; min-width: 2.6em;
              height: 1.9em; padding: 0 }
            th.name { text-align: right; padding-right: 0.8em; font-family: monospace }
            td.intruder { outline: 2px solid #c05020; outline-offset: -2px }
            figure { display: inline-block; margin: 0 2em 1em 0 }
            figcaption { font-family: monospace; font-size: 12px }
            </style></head><body>
            """;

    private final SpectraReport report;
    private final StringBuilder text = new StringBuilder(HEAD);

    private HeatMaps(SpectraReport report) {
        this.report = report;
    }

    static String page(SpectraReport report) {
        var maps = new HeatMaps(report);
        maps.heading();
        maps.likeness();
        report.matrices().forEach(maps::overlap);
        maps.notes();
        return maps.text.append("</body></html>\n").toString();
    }

    private void heading() {
        add(
                "<h1>%d intruders</h1><p>Of the %d largest singular values of each of %d matrices, the"
                        + " %s vectors that resemble none of the base's: max |cosine| below %.2f.</p>%n",
                report.intruders(),
                report.k(),
                report.matrices().size(),
                report.side(),
                report.epsilon());
    }

    /// Draws the likeness of all vectors, a row for each matrix.
    private void likeness() {
        text.append("<h2>Likeness to the nearest vector of the base</h2>\n<table><tr><th></th>");
        for (int j = 1; j <= report.k(); j++) {
            add("<th>%d</th>", j);
        }
        text.append("</tr>\n");
        for (MatrixSpectrum m : report.matrices()) {
            add("<tr><th class=\"name\">%s%s</th>", escaped(m.path()), m.spansPart() ? " *" : "");
            for (int j = 0; j < m.likeness().length; j++) {
                double c = m.likeness()[j];
                cell(c, c < report.epsilon(), "σ%d = %.4g".formatted(j + 1, m.sigma()[j]));
            }
            text.append("</tr>\n");
        }
        text.append("</table>\n<h2>Cosines of the largest ones</h2>\n");
        text.append("<p>Rows: tuned. Columns: the base's. Both from the largest on.</p>\n");
    }

    private void overlap(MatrixSpectrum m) {
        add("<figure><figcaption>%s</figcaption><table>%n", escaped(m.path()));
        for (int j = 0; j < m.overlap().length; j++) {
            text.append("<tr>");
            for (int i = 0; i < m.overlap()[j].length; i++) {
                cell(m.overlap()[j][i], false, "tuned %d, base %d".formatted(j + 1, i + 1));
            }
            text.append("</tr>\n");
        }
        text.append("</table></figure>\n");
    }

    private void notes() {
        if (report.matrices().stream().anyMatch(MatrixSpectrum::spansPart)) {
            add("<p>* %s</p>%n", SpectraReport.SPANS_PART);
        }
        report.skipped()
                .forEach(
                        (path, why) -> add("<p>skipped %s: %s</p>%n", escaped(path), escaped(why)));
        if (!report.unseen().isEmpty()) {
            add("<p>not looked at: %s</p>%n", escaped(String.join(", ", report.unseen())));
        }
    }

    /// Draws a cosine from 0, white, to 1, dark.
    private void cell(double cosine, boolean intruder, String title) {
        double c = Math.clamp(cosine, 0, 1);
        add(
                "<td%s style=\"background:rgb(%d,%d,%d);color:%s\" title=\"%s\">%.2f</td>",
                intruder ? " class=\"intruder\"" : "",
                Math.round(255 - 224 * c),
                Math.round(255 - 177 * c),
                Math.round(255 - 115 * c),
                c > 0.5 ? "#fff" : "#222",
                title,
                cosine);
    }

    private void add(String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values));
    }

    private static String escaped(String raw) {
        return raw.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
