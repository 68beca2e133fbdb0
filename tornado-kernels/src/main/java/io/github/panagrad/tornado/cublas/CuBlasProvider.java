package io.github.panagrad.tornado.cublas;

import uk.ac.manchester.tornado.runtime.common.TornadoXPUDevice;
import uk.ac.manchester.tornado.runtime.library.spi.LibraryContext;
import uk.ac.manchester.tornado.runtime.library.spi.LibraryInvocation;
import uk.ac.manchester.tornado.runtime.library.spi.TornadoLibraryProvider;
import uk.ac.manchester.tornado.runtime.library.spi.TornadoNativeStreamSupport;

/// Runs [CuBlasTask]s when TornadoVM comes to them: on the stream of the kernels, so in turn with them.
///
/// TornadoVM's own provider of cuBLAS takes whole arrays, where all tensors lie in one, and sizes that
/// are constants of a graph.
public final class CuBlasProvider implements TornadoLibraryProvider {
    static final String NAME = "panagrad/cublas";

    private record Context(CuBlas library, long context, long handle) implements LibraryContext {}

    /// Makes the provider; TornadoVM finds it as a service.
    public CuBlasProvider() {}

    @Override
    public String libraryName() {
        return NAME;
    }

    @Override
    public boolean canHandle(TornadoXPUDevice device) {
        return device instanceof TornadoNativeStreamSupport && CuBlasTask.isAvailable();
    }

    @Override
    public LibraryContext createContext(TornadoXPUDevice device, long executionPlanId) {
        CuBlas library = CuBlas.find().orElseThrow();
        var streams = (TornadoNativeStreamSupport) device;
        long context = streams.getNativeContext(executionPlanId);
        long handle = library.create(context, streams.getNativeStream(executionPlanId));
        return new Context(library, context, handle);
    }

    @Override
    public void dispatch(String functionName, LibraryInvocation invocation) {
        var context = (Context) invocation.getContext();
        var task = (CuBlasTask) invocation.getTuning();
        context.library.enter(context.context);
        for (Gemm call : task.calls()) {
            context.library.gemm(
                    context.handle, call, invocation.getDevicePointer(0), task.precision());
        }
    }

    @Override
    public void destroyContext(LibraryContext context) {
        var own = (Context) context;
        own.library.enter(own.context);
        own.library.destroy(own.handle);
    }
}
