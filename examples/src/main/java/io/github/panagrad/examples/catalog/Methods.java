package io.github.panagrad.examples.catalog;

import io.github.panagrad.adapters.AdaLora;
import io.github.panagrad.adapters.AdapterMethod;
import io.github.panagrad.adapters.Bottleneck;
import io.github.panagrad.adapters.Eva;
import io.github.panagrad.adapters.Ia3;
import io.github.panagrad.adapters.Loha;
import io.github.panagrad.adapters.Lokr;
import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.LoraInit;
import io.github.panagrad.adapters.Mam;
import io.github.panagrad.adapters.Oft;
import io.github.panagrad.adapters.PrefixTuning;
import io.github.panagrad.adapters.PromptTuning;
import io.github.panagrad.adapters.TrainableTokens;
import io.github.panagrad.adapters.Vera;
import io.github.panagrad.examples.tuning.AdaLoraTuning;
import io.github.panagrad.examples.tuning.AdapterTuning;
import io.github.panagrad.examples.tuning.AdapterTuning.Beginning;
import io.github.panagrad.examples.tuning.Method;
import io.github.panagrad.examples.tuning.OwnParameters;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.optim.ParamGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.DoubleFunction;
import java.util.function.Function;

/// The methods that `finetune --method` knows.
public final class Methods {
    /// All of them.
    public static final Catalog<Method> CATALOG = new Catalog<>("--method", all());

    private static final double PROMPT_LR = 1e-2;

    private Methods() {}

    private static List<Entry<Method>> all() {
        var all = new ArrayList<Entry<Method>>(own());
        all.addAll(SparseMethods.all());
        all.addAll(lowRank());
        all.addAll(factored());
        all.addAll(inserted());
        all.addAll(SelectionMethods.all());
        return all;
    }

    private static List<Entry<Method>> own() {
        return List.of(
                entry(
                        "full",
                        "all parameters",
                        "w ← w − η·g",
                        "plain fine-tuning",
                        Optimizer.class,
                        s -> new OwnParameters("all parameters", all -> all, 5e-4)),
                entry(
                        "bitfit",
                        "all biases, for models that have some",
                        "b ← b − η·g",
                        "BitFit, arXiv 2106.10199",
                        ParamSelection.class,
                        s -> own("biases", ParamCategory.BIAS)),
                entry(
                        "norms",
                        "the scales of all normalisations",
                        "g ← g − η·∂g",
                        "norm tuning, arXiv 2312.11420",
                        ParamSelection.class,
                        s -> own("scales of normalisations", ParamCategory.NORM)));
    }

    private static Method own(String what, ParamCategory category) {
        return new OwnParameters(what, all -> all.in(category), PROMPT_LR);
    }

    private static Entry<Method> entry(
            String name,
            String summary,
            String formula,
            String source,
            Class<?> type,
            Function<Settings, Method> maker) {
        return Entry.of(name, summary, formula, source, type, maker);
    }

    private static List<Entry<Method>> lowRank() {
        String basis = "y = W·x + (α/r)·B·A·x";
        return List.of(
                lora("lora", "low-rank detours", basis, "LoRA, arXiv 2106.09685", (l, b) -> l),
                lora(
                        "rslora",
                        "low-rank detours scaled by α/√r",
                        "y = W·x + (α/√r)·B·A·x",
                        "rsLoRA, arXiv 2312.03732",
                        (l, b) -> l.rankStabilized(true)),
                plus(basis),
                entry(
                                "adalora",
                                "low-rank detours whose ranks go where they are needed",
                                "y = W·x + (α/r)·B·diag(E)·A·x",
                                "AdaLoRA, arXiv 2303.10512",
                                AdaLora.class,
                                s ->
                                        new AdaLoraTuning(
                                                AdaLora.rank(s.integer("rank"))
                                                        .warmup(s.integer("warmup"))
                                                        .finish(s.integer("finish"))))
                        .with(
                                Setting.of("rank", 8, "mean rank at the end"),
                                Setting.of("warmup", 10, "steps before ranks are taken away"),
                                Setting.of("finish", 0, "steps after it")),
                lora(
                        "lora-fa",
                        "low-rank detours with a frozen A",
                        basis,
                        "LoRA-FA, arXiv 2308.03303",
                        (l, b) -> l.freezesDown(true)),
                lora(
                        "dora",
                        "low-rank detours, lengths of rows apart",
                        "y = m·(W + ΔW)·x/‖W + ΔW‖",
                        "DoRA, arXiv 2402.09353",
                        (l, b) -> l.dora(true)),
                lora(
                        "lora-gaussian",
                        "LoRA, A drawn from a normal distribution",
                        basis,
                        "LoRA, arXiv 2106.09685",
                        (l, b) -> l.init(LoraInit.gaussian())),
                lora(
                        "lora-orthogonal",
                        "LoRA, A and B non-zero with a product of zero",
                        basis,
                        "PEFT",
                        (l, b) -> l.init(LoraInit.orthogonal())),
                lora(
                        "pissa",
                        "LoRA from the largest singular components",
                        "B₀·A₀ = U_r·S_r·V_rᵀ of W",
                        "PiSSA, arXiv 2404.02948",
                        (l, b) -> l.init(LoraInit.pissa())),
                lora(
                        "olora",
                        "LoRA from the QR decomposition",
                        "B₀·A₀ = Q_r·R_r of W",
                        "OLoRA, arXiv 2406.01775",
                        (l, b) -> l.init(LoraInit.olora())),
                lora(
                        "corda-ipm",
                        "LoRA from the components that matter most to the data",
                        "B₀·A₀ = largest of svd(W·C)·C⁻¹",
                        "CorDA, arXiv 2406.05223",
                        (l, b) -> l.init(LoraInit.cordaInstructionPreviewed(b.covariances()))),
                lora(
                        "corda-kpm",
                        "LoRA from the components that matter least to the data",
                        "B₀·A₀ = smallest of svd(W·C)·C⁻¹",
                        "CorDA, arXiv 2406.05223",
                        (l, b) -> l.init(LoraInit.cordaKnowledgePreserved(b.covariances()))),
                lora(
                        "eva",
                        "LoRA from the directions of the inputs, ranks spread by them",
                        "A₀ = V_rᵀ of the inputs",
                        "EVA, arXiv 2410.07170",
                        (l, b) -> Eva.redistributed(l, b.covariances(), 2)));
    }

    private static Entry<Method> lora(
            String name,
            String summary,
            String formula,
            String source,
            BiFunction<Lora, Beginning, Lora> change) {
        return lora(name, summary, formula, source, change, lr -> List.of());
    }

    private static Entry<Method> plus(String formula) {
        double ratio = 16;
        return lora(
                "lora+",
                "low-rank detours whose B learns 16 times faster",
                formula,
                "LoRA+, arXiv 2402.12354",
                (l, b) -> l,
                lr -> List.of(Lora.faster(lr, ratio)));
    }

    private static Entry<Method> lora(
            String name,
            String summary,
            String formula,
            String source,
            BiFunction<Lora, Beginning, Lora> change,
            DoubleFunction<List<ParamGroup>> groups) {
        return entry(
                        name,
                        summary,
                        formula,
                        source,
                        Lora.class,
                        s -> {
                            int rank = s.integer("rank");
                            double alpha = s.has("alpha") ? s.number("alpha") : 2.0 * rank;
                            Lora lora = Lora.rank(rank).alpha(alpha).dropout(s.number("dropout"));
                            double lr = groups.apply(1).isEmpty() ? 2e-3 : 5e-4;
                            return new AdapterTuning(
                                    name + " of rank " + rank,
                                    b -> change.apply(lora.seed(b.seed()), b),
                                    targets(s),
                                    groups,
                                    lr,
                                    0);
                        })
                .with(
                        Setting.of("rank", 8, "rank of the detours"),
                        Setting.of("alpha", "", "detours are multiplied by alpha/rank"),
                        Setting.of("dropout", 0, "share of the inputs that is dropped"),
                        Setting.of(
                                "targets",
                                "",
                                "layers, by name or pattern, between +, or kappa:N"));
    }

    /// Returns the layers named; none if there are none.
    static List<String> targets(Settings s) {
        return s.has("targets") ? List.of(s.word("targets").split("\\+")) : List.of();
    }

    private static List<Entry<Method>> factored() {
        Setting targets = Setting.of("targets", "", "layers, by name or pattern, between +");
        return List.of(
                entry(
                                "vera",
                                "vectors on shared random projections",
                                "y = W·x + b ⊙ B·(d ⊙ A·x)",
                                "VeRA, arXiv 2310.11454",
                                Vera.class,
                                s ->
                                        linear(
                                                "VeRA",
                                                s,
                                                b -> Vera.rank(s.integer("rank")).seed(b.seed())))
                        .with(Setting.of("rank", 64, "of the projections"), targets),
                entry(
                                "loha",
                                "element by element product of two low-rank matrices",
                                "ΔW = (α/r)·(A₁·B₁) ⊙ (A₂·B₂)",
                                "LoHa, arXiv 2108.06098",
                                Loha.class,
                                s ->
                                        linear(
                                                "LoHa",
                                                s,
                                                b -> Loha.rank(s.integer("rank")).seed(b.seed())))
                        .with(Setting.of("rank", 4, "of the factors"), targets),
                entry(
                                "lokr",
                                "Kronecker product of a small and a low-rank matrix",
                                "ΔW = (α/r)·W₁ ⊗ W₂",
                                "LoKr, arXiv 2309.14859",
                                Lokr.class,
                                s ->
                                        linear(
                                                "LoKr",
                                                s,
                                                b -> Lokr.rank(s.integer("rank")).seed(b.seed())))
                        .with(Setting.of("rank", 4, "of the second factor"), targets),
                entry(
                                "ia3",
                                "scales on keys, values and inner activations",
                                "k ← l ⊙ k, v ← l ⊙ v, h ← l ⊙ h",
                                "IA³, arXiv 2205.05638",
                                Ia3.class,
                                s -> linear("IA³", s, b -> Ia3.standard()))
                        .with(Setting.of("targets", "k_proj+v_proj+down_proj", "layers")),
                entry(
                                "oft",
                                "inputs turned block by block",
                                "y = W·R·x, R of Cayley's transform",
                                "OFT, arXiv 2306.07280",
                                Oft.class,
                                s -> linear("OFT", s, b -> Oft.blocks(s.integer("block"))))
                        .with(Setting.of("block", 16, "extent of the blocks"), targets));
    }

    private static Method linear(
            String name, Settings s, Function<Beginning, AdapterMethod> maker) {
        return new AdapterTuning(name, maker, targets(s), lr -> List.of(), PROMPT_LR, 0);
    }

    private static List<Entry<Method>> inserted() {
        String sequential = "h ← h + f(h·W_down)·W_up";
        String parallel = "h ← h + s·f(x·W_down)·W_up";
        String blocks = "**.self_attn+**.mlp";
        return List.of(
                bottleneck(
                        "houlsby",
                        "bottlenecks behind attention and feed-forward parts",
                        sequential,
                        "arXiv 1902.00751",
                        false,
                        1,
                        blocks),
                bottleneck(
                        "pfeiffer",
                        "bottlenecks behind feed-forward parts",
                        sequential,
                        "arXiv 2005.00247",
                        false,
                        1,
                        "**.mlp"),
                bottleneck(
                        "parallel",
                        "bottlenecks beside feed-forward parts",
                        parallel,
                        "arXiv 2110.04366",
                        true,
                        4,
                        "**.mlp"),
                entry(
                                "prefix",
                                "keys and values before those of the tokens",
                                "attention over [P_k; K], [P_v; V]",
                                "prefix tuning, arXiv 2101.00190",
                                PrefixTuning.class,
                                s ->
                                        prompting(
                                                "a prefix of " + s.word("tokens"),
                                                s.integer("tokens"),
                                                b ->
                                                        PrefixTuning.tokens(s.integer("tokens"))
                                                                .projection(s.integer("projection"))
                                                                .seed(b.seed()),
                                                List.of("**.self_attn", "**.attention.self")))
                        .with(
                                Setting.of("tokens", 16, "keys and values a layer"),
                                Setting.of("projection", 0, "width of a network that makes them")),
                entry(
                                "prompt",
                                "embeddings before those of the tokens",
                                "x ← [P; x]",
                                "prompt tuning, arXiv 2104.08691",
                                PromptTuning.class,
                                s -> prompt(s.integer("tokens"), s.word("text")))
                        .with(
                                Setting.of("tokens", 20, "embeddings"),
                                Setting.of("text", "", "text that they begin with")),
                entry(
                                "tokens",
                                "the embeddings of some tokens, in a tied head too",
                                "e_t ← e_t − η·g for some t",
                                "PEFT's trainable tokens",
                                TrainableTokens.class,
                                s ->
                                        prompting(
                                                "trainable tokens",
                                                0,
                                                b -> tokens(s, b),
                                                List.of("**.embed_tokens")))
                        .with(
                                Setting.of("ids", "", "the tokens, between +"),
                                Setting.of("frequent", 16, "without them, how many frequent ones")),
                entry(
                                "mam",
                                "a prefix and bottlenecks beside feed-forward parts",
                                "prefix in attention, " + parallel,
                                "MAM, arXiv 2110.04366",
                                Mam.class,
                                s ->
                                        prompting(
                                                "mix-and-match",
                                                s.integer("tokens"),
                                                b ->
                                                        Mam.of(
                                                                        s.integer("tokens"),
                                                                        s.integer("width"),
                                                                        s.number("scale"))
                                                                .seed(b.seed()),
                                                List.of("**.self_attn", "**.mlp")))
                        .with(
                                Setting.of("tokens", 16, "keys and values a layer"),
                                Setting.of("width", 16, "of the bottlenecks"),
                                Setting.of("scale", 2, "what bottlenecks are multiplied by")));
    }

    private static Method prompting(
            String name,
            int positions,
            Function<Beginning, AdapterMethod> maker,
            List<String> targets) {
        return new AdapterTuning(name, maker, targets, lr -> List.of(), PROMPT_LR, positions);
    }

    private static TrainableTokens tokens(Settings s, Beginning beginning) {
        return s.has("ids")
                ? TrainableTokens.of(s.integers("ids"))
                : TrainableTokens.of(beginning.frequentTokens(s.integer("frequent")));
    }

    private static Method prompt(int tokens, String text) {
        return prompting(
                "a prompt of " + tokens,
                tokens,
                b -> {
                    var prompt = PromptTuning.tokens(tokens).seed(b.seed());
                    return text.isEmpty() ? prompt : prompt.text(b.task().tokenizer().encode(text));
                },
                List.of("**.embed_tokens", "**.layers.*", "**.norm"));
    }

    private static Entry<Method> bottleneck(
            String name,
            String summary,
            String formula,
            String source,
            boolean parallel,
            double scale,
            String places) {
        return entry(
                        name,
                        summary,
                        formula,
                        source,
                        Bottleneck.class,
                        s -> {
                            int width = s.integer("width");
                            Bottleneck start =
                                    parallel
                                            ? Bottleneck.parallel(width)
                                            : Bottleneck.sequential(width);
                            Bottleneck scaled =
                                    start.scale(s.number("scale"))
                                            .form(s.choice("form", Bottleneck.Form.class));
                            return AdapterTuning.of(
                                    name + " bottlenecks of width " + width,
                                    b -> scaled.seed(b.seed()),
                                    List.of(s.word("targets").split("\\+")));
                        })
                .with(
                        Setting.of("width", 16, "of the bottlenecks"),
                        Setting.of("scale", scale, "what they are multiplied by"),
                        Setting.of("form", "relu", "relu, gelu or identity"),
                        Setting.of("targets", places, "layers, by pattern, between +"));
    }
}
