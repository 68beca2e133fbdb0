package io.github.panagrad.adapters;

import io.github.panagrad.nn.io.JsonObject;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/// The methods that adapter files may be of, by PEFT's names.
final class PeftMethods {
    private static final Map<String, Function<JsonObject, AdapterMethod>> READERS =
            new TreeMap<>(
                    Map.ofEntries(
                            reader(Lora.PEFT_TYPE, Lora::read),
                            reader(AdaLora.PEFT_TYPE, AdaLora::read),
                            reader(PrefixTuning.PEFT_TYPE, PrefixTuning::read),
                            reader(PromptTuning.PEFT_TYPE, PromptTuning::read),
                            reader(Bottleneck.PEFT_TYPE, Bottleneck::read),
                            reader(Mam.PEFT_TYPE, Mam::read),
                            reader(MaskTuning.PEFT_TYPE, MaskTuning::read),
                            reader(Loha.PEFT_TYPE, Loha::read),
                            reader(Lokr.PEFT_TYPE, Lokr::read),
                            reader(Vera.PEFT_TYPE, Vera::read),
                            reader(Ia3.PEFT_TYPE, Ia3::read),
                            reader(TrainableTokens.PEFT_TYPE, TrainableTokens::read),
                            reader(Oft.PEFT_TYPE, Oft::read)));

    private PeftMethods() {}

    private static Map.Entry<String, Function<JsonObject, AdapterMethod>> reader(
            String type, Function<JsonObject, AdapterMethod> read) {
        return Map.entry(type, read);
    }

    /// Reads a method and its settings from PEFT's `adapter_config.json`.
    static AdapterMethod read(JsonObject config) {
        String type = config.string("peft_type", Lora.PEFT_TYPE);
        var reader = READERS.get(type);
        if (reader == null) {
            throw config.error(
                    "peft_type",
                    "not a method that is known: " + type,
                    String.join(", ", READERS.keySet()),
                    "");
        }
        return reader.apply(config);
    }
}
