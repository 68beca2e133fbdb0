package io.github.panagrad.engine.tape;

/// Where a tensor came from: a node and which of its outputs. A leaf is output 0 of a node without
/// an op.
///
/// @param node what produced the tensor
/// @param index which output
public record Edge(Node node, int index) {}
