package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.models.CausalLM;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.Utf8Entry;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Adapters know no model, and models know no adapter: what their compiled classes mention.
class SeparationTest {
    private static final String MODELS = "io/github/panagrad/nn/models/";
    private static final String ADAPTERS = "io/github/panagrad/adapters/";

    /// Reads the classes of the module that a class is in, those of a folder or of a jar.
    private static Map<String, ClassModel> classes(Class<?> sample) throws Exception {
        URI source = sample.getProtectionDomain().getCodeSource().getLocation().toURI();
        Path at = Path.of(source);
        if (Files.isDirectory(at)) {
            return classesBelow(at);
        }
        try (var jar = FileSystems.newFileSystem(at)) {
            return classesBelow(jar.getPath("/"));
        }
    }

    private static Map<String, ClassModel> classesBelow(Path root) throws IOException {
        var found = new TreeMap<String, ClassModel>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = file.toString();
                if (name.endsWith(".class") && !name.endsWith("module-info.class")) {
                    ClassModel model = ClassFile.of().parse(Files.readAllBytes(file));
                    found.put(model.thisClass().asInternalName(), model);
                }
            }
        }
        return found;
    }

    /// Returns all text in a class's constants: names, descriptors, signatures, strings.
    private static List<String> texts(ClassModel model) {
        var texts = new ArrayList<String>();
        model.constantPool()
                .forEach(entry -> {
                    if (entry instanceof Utf8Entry text) {
                        texts.add(text.stringValue());
                    }
                });
        return texts;
    }

    private static boolean mentions(ClassModel model, Set<String> names) {
        return texts(model).stream()
                .anyMatch(text ->
                        names.stream()
                                .anyMatch(name ->
                                        text.equals(name)
                                                || text.contains("L" + name + ";")
                                                || text.contains("L" + name + "<")
                                                || text.contains(name.replace('/', '.'))));
    }

    /// Returns the modules and their inner classes among the models' classes.
    private static Set<String> models(Map<String, ClassModel> classes) {
        var modules = new HashSet<String>();
        modules.add(Module.class.getName().replace('.', '/'));
        boolean more = true;
        while (more) {
            more = false;
            for (ClassModel model : classes.values()) {
                boolean extendsOne =
                        model.superclass()
                                .map(s -> modules.contains(s.asInternalName()))
                                .orElse(false);
                more |= extendsOne && modules.add(model.thisClass().asInternalName());
            }
        }
        modules.removeIf(name -> !name.startsWith(MODELS));
        var all = new TreeSet<String>();
        for (String name : classes.keySet()) {
            int inner = name.indexOf('$');
            if (modules.contains(inner < 0 ? name : name.substring(0, inner))) {
                all.add(name);
            }
        }
        return all;
    }

    @Test
    void noAdapterMentionsAModel() throws Exception {
        Set<String> models = models(classes(CausalLM.class));
        assertThat(models).contains(MODELS + "CausalLM", MODELS + "BertModel");
        var adapters = classes(Adapter.class);
        assertThat(adapters).containsKeys(ADAPTERS + "Adapter", ADAPTERS + "LoraLayer");
        adapters.forEach((name, model) -> assertThat(mentions(model, models)).as(name).isFalse());
    }

    @Test
    void noModelMentionsAnAdapter() throws Exception {
        var library = classes(CausalLM.class);
        assertThat(library).containsKey(MODELS + "CausalLM");
        String dotted = ADAPTERS.replace('/', '.');
        library.forEach((name, model) ->
                assertThat(texts(model))
                        .as(name)
                        .noneMatch(text -> text.contains(ADAPTERS) || text.contains(dotted)));
    }

    /// The checks find what they look for: this class and the tiny model of the tests name models.
    @Test
    void seesAMention() throws Exception {
        Set<String> models = models(classes(CausalLM.class));
        var tests = classesOf(TinyModel.class, QuantizedBaseTest.class);
        tests.forEach(model -> assertThat(mentions(model, models)).isTrue());
        assertThat(texts(tests.getFirst())).anyMatch(text -> text.contains(ADAPTERS));
    }

    private static List<ClassModel> classesOf(Class<?>... classes) throws IOException {
        var models = new ArrayList<ClassModel>();
        for (Class<?> c : classes) {
            try (var bytes = c.getResourceAsStream(c.getSimpleName() + ".class")) {
                assertThat(bytes).isNotNull();
                models.add(ClassFile.of().parse(bytes.readAllBytes()));
            }
        }
        return models;
    }
}
