package io.github.panagrad.engine.ground;

/// Raised when the shape, dtype or device of an operand does not fit an operation.
public class ShapeException extends PanagradException {
    private static final long serialVersionUID = 1L;

    /// Composes the message from its parts, as [PanagradException] does.
    public ShapeException(String op, String what, String got, String expected, String hint) {
        super(op, what, got, expected, hint);
    }
}
