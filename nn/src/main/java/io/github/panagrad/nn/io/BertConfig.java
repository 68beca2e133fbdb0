package io.github.panagrad.nn.io;

import java.util.List;

/// The config of a BERT encoder.
///
/// @param json the file's JSON, kept to be written back
/// @param vocabSize rows of the token embedding
/// @param hiddenSize width of the residual stream
/// @param intermediateSize width inside the feed-forward block
/// @param layers number of layers
/// @param heads heads in a layer; they divide the width between them
/// @param maxPositions rows of the position embedding
/// @param typeVocabSize rows of the token type embedding
/// @param layerNormEps what keeps the norms from dividing by zero
/// @param activation the feed-forward block's function
/// @param hiddenDropout how much of the embeddings and block outputs is dropped in training
/// @param attentionDropout how much of the attention is dropped in training
/// @param classifierDropout how much a classifier's input is dropped in training
/// @param initializerRange standard deviation of fresh weights
/// @param padId token that fills up a batch
/// @param labels names of a classifier's labels
public record BertConfig(
        JsonObject json,
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int maxPositions,
        int typeVocabSize,
        double layerNormEps,
        Activation activation,
        double hiddenDropout,
        double attentionDropout,
        double classifierDropout,
        double initializerRange,
        int padId,
        List<String> labels)
        implements ModelConfig {
    static final String TYPE = "bert";

    static BertConfig of(JsonObject json) {
        var fields = new ConfigFields(json);
        fields.requireUnquantised();
        fields.require("position_embedding_type", "absolute");
        fields.require("is_decoder", false);
        fields.require("add_cross_attention", false);
        int hidden = fields.positive("hidden_size");
        int heads = fields.positive("num_attention_heads");
        if (hidden % heads != 0) {
            throw fields.indivisible("hidden_size", hidden, "num_attention_heads", heads);
        }
        double hiddenDropout = fields.dropout("hidden_dropout_prob", 0.1);
        return new BertConfig(
                json,
                fields.positive("vocab_size"),
                hidden,
                fields.positive("intermediate_size"),
                fields.layers(),
                heads,
                fields.positive("max_position_embeddings"),
                fields.positive("type_vocab_size", 2),
                fields.positive("layer_norm_eps", 1e-12),
                fields.activation("hidden_act", "gelu"),
                hiddenDropout,
                fields.dropout("attention_probs_dropout_prob", 0.1),
                fields.dropout("classifier_dropout", hiddenDropout),
                fields.positive("initializer_range", 0.02),
                fields.id("pad_token_id").orElse(0),
                fields.labels());
    }

    @Override
    public String modelType() {
        return TYPE;
    }

    /// Returns the channels of one head.
    public int headDim() {
        return hiddenSize / heads;
    }
}
