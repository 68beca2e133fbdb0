package io.github.panagrad.engine.spi;

/// What a device can do at best, measured on it: what a kernel's speed is held against.
///
/// @param flops floating-point operations a second
/// @param work what they were done in
/// @param bytesPerSecond bytes read and written a second, as a = b + s·c over long vectors
public record DeviceLimits(double flops, String work, double bytesPerSecond) {}
