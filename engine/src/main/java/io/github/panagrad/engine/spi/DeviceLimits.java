package io.github.panagrad.engine.spi;

/// What a device can do at best, measured on it: what a kernel's speed is held against.
///
/// @param flops floating-point operations a second, as chains of multiplications and additions
/// @param bytesPerSecond bytes read and written a second, as a = b + s·c over long vectors
public record DeviceLimits(double flops, double bytesPerSecond) {}
