package io.github.panagrad.tornado.device;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Storage;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/// Elements of a tensor in a device's array.
public final class DeviceStorage extends Storage {
    private final PanagradDevice device;
    private final Block block;
    private Cleaner.@Nullable Cleanable cleanable;

    DeviceStorage(PanagradDevice device, DType dtype, int length, Block block) {
        super(dtype, length);
        this.device = device;
        this.block = block;
    }

    void cleanable(Cleaner.Cleanable cleanable) {
        this.cleanable = cleanable;
    }

    /// Returns the device that holds it.
    public Device device() {
        return device.device();
    }

    /// Returns where in the near array the first element lies; for BF16 and F16, in halves of ints.
    public int at() {
        requireAlive();
        if (isFar()) {
            throw new IllegalStateException("a kernel asks for the place of a far storage");
        }
        return Block.isHalf(dtype()) ? 2 * block.at : block.at;
    }

    /// Tells whether it lies where kernels do not reach it.
    boolean isFar() {
        return block.array != Block.NEAR;
    }

    Block block() {
        requireAlive();
        return block;
    }

    @Override
    public long byteSize() {
        return (Block.isHalf(dtype()) ? 2 : 4) * length();
    }

    @Override
    public double getDouble(long index) {
        return device.read(this, (int) index);
    }

    @Override
    public void setDouble(long index, double value) {
        device.write(this, (int) index, value);
    }

    @Override
    protected void free() {
        if (cleanable != null) {
            cleanable.clean();
        }
    }
}
