package io.github.panagrad.nn.io;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.github.panagrad.engine.ground.PanagradException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// A `tokenizer.json` run by Hugging Face's tokenizers through DJL.
final class JsonTokenizer implements Tokenizer {
    private static final String FILE = "tokenizer.json";
    private static final String CONFIG = "tokenizer_config.json";
    private static final String SPECIAL = "special_tokens_map.json";
    private static final List<String> ROLES = List.of("bos_token", "eos_token", "pad_token");
    private static final Cleaner CLEANER = Cleaner.create();

    static {
        // DJL reports its use to a server and looks for GPU builds of its library on the network
        // unless told otherwise before its classes load.
        System.getProperties().putIfAbsent("ai.djl.offline", "true");
        System.getProperties().putIfAbsent("OPT_OUT_TRACKING", "true");
        System.getProperties().putIfAbsent("RUST_FLAVOR", "cpu");
    }

    private final HuggingFaceTokenizer encoder;
    private final Vocabulary vocabulary;
    private final Map<String, Integer> roles;
    private final Map<String, byte[]> files;

    private JsonTokenizer(
            HuggingFaceTokenizer encoder,
            Vocabulary vocabulary,
            Map<String, Integer> roles,
            Map<String, byte[]> files) {
        this.encoder = encoder;
        this.vocabulary = vocabulary;
        this.roles = roles;
        this.files = files;
        CLEANER.register(this, encoder::close);
    }

    static Tokenizer load(Path path) {
        Path file = Files.isDirectory(path) ? path.resolve(FILE) : path;
        byte[] json = read(file);
        var files = new LinkedHashMap<String, byte[]>();
        files.put(FILE, json);
        for (String name : List.of(CONFIG, SPECIAL)) {
            Path beside = file.resolveSibling(name);
            if (Files.exists(beside)) {
                files.put(name, read(beside));
            }
        }
        var names = roleNames(file);
        var vocabulary = Vocabulary.parse(file.toString(), json, names.values());
        return new JsonTokenizer(
                encoder(file, json), vocabulary, roles(file, names, vocabulary), files);
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new PanagradException(file + ": no such file; a model needs its tokenizer", e);
        } catch (IOException e) {
            throw new PanagradException(file + ": cannot be read; " + e.getMessage(), e);
        }
    }

    private static HuggingFaceTokenizer encoder(Path file, byte[] json) {
        try {
            // A file may ask for cutting and padding; both are the batch's business here.
            return HuggingFaceTokenizer.newInstance(
                    new ByteArrayInputStream(json),
                    Map.of("truncation", "false", "padding", "false"));
        } catch (LinkageError | EngineException e) {
            throw new PanagradException(
                    "tokenizer: the native tokenizers library does not load on "
                            + System.getProperty("os.name")
                            + " "
                            + System.getProperty("os.arch")
                            + "; "
                            + e,
                    e);
        } catch (IOException | RuntimeException e) {
            throw new PanagradException(
                    file + ": not a tokenizer; " + String.valueOf(e.getMessage()).strip(), e);
        }
    }

    /// Finds which token plays which role; a role that is named null in a file has no token.
    private static Map<String, String> roleNames(Path file) {
        var names = new LinkedHashMap<String, String>();
        var decided = new HashSet<String>();
        for (String source : List.of(CONFIG, SPECIAL)) {
            Path beside = file.resolveSibling(source);
            if (!Files.exists(beside)) {
                continue;
            }
            JsonObject json = JsonObject.read(beside);
            for (String role : ROLES) {
                if (json.names().contains(role) && decided.add(role) && json.has(role)) {
                    boolean plain = json.get(role) instanceof String;
                    names.put(
                            role, plain ? json.string(role) : json.object(role).string("content"));
                }
            }
        }
        return names;
    }

    private static Map<String, Integer> roles(
            Path file, Map<String, String> names, Vocabulary vocabulary) {
        var roles = new LinkedHashMap<String, Integer>();
        names.forEach((role, token) -> {
            OptionalInt id = vocabulary.id(token);
            if (id.isPresent()) {
                roles.put(role, id.getAsInt());
            } else if (!role.equals("pad_token")) {
                throw new PanagradException(
                        file.toString(),
                        "the " + role + " is not in the vocabulary",
                        Json.quote(token),
                        "",
                        "do " + CONFIG + " and " + FILE + " belong together?");
            }
        });
        Path config = file.resolveSibling(ModelConfig.FILE);
        boolean silent =
                !Files.exists(file.resolveSibling(CONFIG))
                        && !Files.exists(file.resolveSibling(SPECIAL));
        if (silent && Files.exists(config)) {
            JsonObject json = JsonObject.read(config);
            for (String role : ROLES) {
                var ids = new ConfigFields(json).ids(role + "_id");
                if (!ids.isEmpty() && ids.getFirst() < vocabulary.size()) {
                    roles.put(role, ids.getFirst());
                }
            }
        }
        return roles;
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        try {
            long[] ids = encoder.encode(text, addSpecialTokens, false).getIds();
            int[] narrow = new int[ids.length];
            for (int i = 0; i < ids.length; i++) {
                narrow[i] = (int) ids[i];
            }
            return narrow;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        long[] wide = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= vocabulary.size()) {
                throw new PanagradException(
                        "decode",
                        "id outside the vocabulary",
                        ids[i] + " at position " + i,
                        "0 to " + (vocabulary.size() - 1),
                        "");
            }
            wide[i] = ids[i];
        }
        try {
            return encoder.decode(wide, skipSpecialTokens);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public int vocabSize() {
        return vocabulary.size();
    }

    @Override
    public OptionalInt bosId() {
        return role("bos_token");
    }

    @Override
    public OptionalInt eosId() {
        return role("eos_token");
    }

    @Override
    public OptionalInt padId() {
        return role("pad_token");
    }

    private OptionalInt role(String role) {
        Integer id = roles.get(role);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    @Override
    public OptionalInt addedId(String token) {
        return vocabulary.addedId(token);
    }

    @Override
    public void save(Path folder) {
        files.forEach((name, bytes) -> AtomicFile.write(folder.resolve(name), bytes));
    }

    @Override
    public String toString() {
        return "tokenizer of " + vocabulary.size() + " ids, " + roles;
    }
}
