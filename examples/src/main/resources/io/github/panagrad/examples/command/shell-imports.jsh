import io.github.panagrad.engine.*;
import io.github.panagrad.engine.ground.*;
import io.github.panagrad.engine.spi.Backends;
import static io.github.panagrad.engine.Ops.*;
