/// One TornadoVM device: its memory, what is allocated in it, and the programs that run on it.
///
/// What programs compute with lies in two large arrays, one of floats and one of ints, that never
/// leave it; a program is handed the arrays and the places of its operands in them. Further arrays
/// hold floats that there is no room for, until a program asks for them. Nothing here knows of ops.
@NullMarked
package io.github.panagrad.tornado.device;

import org.jspecify.annotations.NullMarked;
