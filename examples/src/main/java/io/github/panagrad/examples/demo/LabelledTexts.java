package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;

/// Texts with a label each.
///
/// @param texts the texts
/// @param names the label of each text
public record LabelledTexts(List<String> texts, List<String> names) {
    /// Copies the lists.
    public LabelledTexts {
        texts = List.copyOf(texts);
        names = List.copyOf(names);
    }

    /// Reads a file of TREC's questions: `COARSE:fine text` a line; the coarse label counts.
    public static LabelledTexts trec(Path file) {
        var texts = new ArrayList<String>();
        var names = new ArrayList<String>();
        for (String line : read(file, StandardCharsets.ISO_8859_1).split("\n")) {
            texts.add(line.substring(line.indexOf(' ') + 1));
            names.add(line.substring(0, line.indexOf(':')));
        }
        return new LabelledTexts(texts, names);
    }

    /// Reads a file of SST-2's sentences: `label text` a line.
    public static LabelledTexts sst2(Path file) {
        var texts = new ArrayList<String>();
        var names = new ArrayList<String>();
        for (String line : read(file, StandardCharsets.UTF_8).split("\n")) {
            texts.add(line.substring(line.indexOf(' ') + 1));
            names.add(line.substring(0, line.indexOf(' ')));
        }
        return new LabelledTexts(texts, names);
    }

    /// Reads a file of Banking77's requests: `text,category` rows below a heading, texts quoted where
    /// need be.
    public static LabelledTexts banking(Path file) {
        var texts = new ArrayList<String>();
        var names = new ArrayList<String>();
        var field = new StringBuilder();
        String text = "";
        boolean quoted = false;
        for (char c : read(file, StandardCharsets.UTF_8).toCharArray()) {
            if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                text = field.toString().strip();
                field.setLength(0);
            } else if (c == '\n' && !quoted) {
                texts.add(text);
                names.add(field.toString().strip());
                field.setLength(0);
            } else {
                field.append(c);
            }
        }
        return new LabelledTexts(texts.subList(1, texts.size()), names.subList(1, names.size()));
    }

    private static String read(Path file, Charset charset) {
        try {
            return Files.readString(file, charset);
        } catch (IOException e) {
            throw new PanagradException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /// Returns how many texts there are.
    public int size() {
        return texts.size();
    }

    /// Returns the labels in alphabetical order.
    public List<String> labels() {
        return List.copyOf(new TreeSet<>(names));
    }

    /// Returns the number of each text's label in a list of labels.
    public int[] numbers(List<String> labels) {
        return names.stream().mapToInt(labels::indexOf).toArray();
    }

    /// Returns the texts of one label, in their order.
    public LabelledTexts only(String name) {
        return among(List.of(name));
    }

    /// Returns the texts with one of some labels, in their order.
    public LabelledTexts among(List<String> labels) {
        int[] which =
                IntStream.range(0, size()).filter(i -> labels.contains(names.get(i))).toArray();
        return pick(which, Integer.MAX_VALUE, Integer.MAX_VALUE);
    }

    /// Returns these texts followed by others.
    public LabelledTexts concat(LabelledTexts others) {
        var allTexts = new ArrayList<>(texts);
        var allNames = new ArrayList<>(names);
        allTexts.addAll(others.texts);
        allNames.addAll(others.names);
        return new LabelledTexts(allTexts, allNames);
    }

    /// Returns some of the texts, drawn at random.
    public LabelledTexts sample(int count, long seed) {
        return pick(new Rng.Draw(seed, 0).permutation(size()), count, Integer.MAX_VALUE);
    }

    /// Returns some texts of each label, drawn at random.
    public LabelledTexts perLabel(int count, long seed) {
        return pick(new Rng.Draw(seed, 0).permutation(size()), Integer.MAX_VALUE, count);
    }

    private LabelledTexts pick(int[] order, int atMost, int perLabel) {
        var taken = new HashMap<String, Integer>();
        var someTexts = new ArrayList<String>();
        var someNames = new ArrayList<String>();
        for (int i : order) {
            if (someTexts.size() < atMost
                    && taken.merge(names.get(i), 1, Integer::sum) <= perLabel) {
                someTexts.add(texts.get(i));
                someNames.add(names.get(i));
            }
        }
        return new LabelledTexts(someTexts, someNames);
    }
}
