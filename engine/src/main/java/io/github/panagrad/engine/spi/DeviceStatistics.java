package io.github.panagrad.engine.spi;

/// What a device other than the host's did since it was first used.
///
/// @param compiled kernels that were compiled: flat from the second step of a training loop on
/// @param plans execution plans that were built, as flat
/// @param graphs task graphs that were built, as flat
/// @param launches kernels that were run
/// @param bytesIn bytes of tensors sent to the device; the few numbers of each launch not counted
/// @param bytesOut bytes of tensors fetched from it
/// @param usedBytes bytes that tensors take on it now
/// @param peakBytes the most bytes that they ever took
public record DeviceStatistics(
        int compiled,
        int plans,
        int graphs,
        long launches,
        long bytesIn,
        long bytesOut,
        long usedBytes,
        long peakBytes) {}
