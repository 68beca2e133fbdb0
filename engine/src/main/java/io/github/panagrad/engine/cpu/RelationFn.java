package io.github.panagrad.engine.cpu;

import jdk.incubator.vector.VectorOperators;

/// The relations of two elements that have a vector loop; NaN is unequal to everything.
enum RelationFn {
    LESS((a, b) -> a.compare(VectorOperators.LT, b)),
    LESS_EQUAL((a, b) -> a.compare(VectorOperators.LE, b)),
    GREATER((a, b) -> a.compare(VectorOperators.GT, b)),
    GREATER_EQUAL((a, b) -> a.compare(VectorOperators.GE, b)),
    EQUAL((a, b) -> a.compare(VectorOperators.EQ, b)),
    NOT_EQUAL((a, b) -> a.compare(VectorOperators.NE, b));

    private final Once<RelationLoop> loop;

    RelationFn(LaneLoops.Relation relation) {
        loop = new Once<>(() -> LaneLoops.of(relation));
    }

    /// Returns the relation's loop.
    RelationLoop loop() {
        return loop.get();
    }
}
