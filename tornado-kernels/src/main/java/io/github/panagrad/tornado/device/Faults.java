package io.github.panagrad.tornado.device;

import io.github.panagrad.engine.op.Gather;
import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Indices out of range that kernels found: an error when something is next read from the device.
///
/// Kernels cannot throw, and asking after each launch would wait for a copy each time. So a kernel
/// skips such an index, or gives NaN, and notes it in three ints: which op, the index, its bound.
/// They are copied along with what is read anyway, and only if an op with indices ran since.
public final class Faults {
    /// Ints of a note.
    static final int LENGTH = 3;

    private final PanagradDevice device;

    /// Where the note lies, outside of what is allocated to tensors.
    private final int at;

    private final List<String> ops = new ArrayList<>();
    private boolean cleared;
    private boolean possible;

    Faults(PanagradDevice device, int at) {
        this.device = device;
        this.at = at;
    }

    /// Returns the number by which kernels refer to an op; never 0.
    public int number(String op) {
        synchronized (device) {
            if (!ops.contains(op)) {
                ops.add(op);
            }
            return ops.indexOf(op) + 1;
        }
    }

    /// Returns where a kernel that is launched now may write a note.
    public int at() {
        synchronized (device) {
            if (!cleared) {
                clear();
                cleared = true;
            }
            possible = true;
            return at;
        }
    }

    private void clear() {
        for (int i = 0; i < LENGTH; i++) {
            device.writeInt(at + i, 0);
        }
    }

    /// Returns where a note may lie that nobody has looked at; negative if there is none.
    int unread() {
        return possible ? at : -1;
    }

    /// Looks at a note that was copied to the host.
    ///
    /// @throws io.github.panagrad.engine.ground.ShapeException if there was an index out of range
    void check(IntArray ints) {
        possible = false;
        if (ints.get(at) != 0) {
            String op = ops.get(ints.get(at) - 1);
            int index = ints.get(at + 1);
            int bound = ints.get(at + 2);
            clear();
            Gather.checked(op, index, bound);
        }
    }

    /// Notes an index out of range unless there is a note already; called in kernels.
    public static void note(IntArray n, int at, int op, int index, int bound) {
        if (n.get(at) == 0) {
            n.set(at, op);
            n.set(at + 1, index);
            n.set(at + 2, bound);
        }
    }
}
