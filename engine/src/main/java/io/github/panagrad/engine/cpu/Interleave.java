package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.zipHi;
import static io.github.panagrad.engine.cpu.Lanes.zipLo;

import jdk.incubator.vector.FloatVector;

/// Transposes in registers: R rows become a stream in which the row number runs fastest, r0[0]
/// r1[0] … rR[0] r0[1] ….
///
/// Each round zips the streams of rows i and i + R/2, for any vector width. With R = V a vector of
/// the result is a column.
final class Interleave {
    private Interleave() {}

    /// Interleaves V columns of 4 rows: 4 vectors, `step` apart.
    static void zip4(float[] src, int so, int ld, float[] dst, int at, int step) {
        FloatVector r0 = FloatVector.fromArray(F, src, so);
        FloatVector r1 = FloatVector.fromArray(F, src, so + ld);
        FloatVector r2 = FloatVector.fromArray(F, src, so + 2 * ld);
        FloatVector r3 = FloatVector.fromArray(F, src, so + 3 * ld);
        FloatVector t = zipLo(r0, r2);
        r2 = zipHi(r0, r2);
        r0 = t;
        t = zipLo(r1, r3);
        r3 = zipHi(r1, r3);
        r1 = t;
        t = zipLo(r0, r1);
        r1 = zipHi(r0, r1);
        r0 = t;
        t = zipLo(r2, r3);
        r3 = zipHi(r2, r3);
        r2 = t;
        r0.intoArray(dst, at);
        r1.intoArray(dst, at + step);
        r2.intoArray(dst, at + 2 * step);
        r3.intoArray(dst, at + 3 * step);
    }

    /// Interleaves V columns of 8 rows: 8 vectors, `step` apart.
    static void zip8(float[] src, int so, int ld, float[] dst, int at, int step) {
        FloatVector r0 = FloatVector.fromArray(F, src, so);
        FloatVector r1 = FloatVector.fromArray(F, src, so + ld);
        FloatVector r2 = FloatVector.fromArray(F, src, so + 2 * ld);
        FloatVector r3 = FloatVector.fromArray(F, src, so + 3 * ld);
        FloatVector r4 = FloatVector.fromArray(F, src, so + 4 * ld);
        FloatVector r5 = FloatVector.fromArray(F, src, so + 5 * ld);
        FloatVector r6 = FloatVector.fromArray(F, src, so + 6 * ld);
        FloatVector r7 = FloatVector.fromArray(F, src, so + 7 * ld);
        FloatVector t = zipLo(r0, r4);
        r4 = zipHi(r0, r4);
        r0 = t;
        t = zipLo(r1, r5);
        r5 = zipHi(r1, r5);
        r1 = t;
        t = zipLo(r2, r6);
        r6 = zipHi(r2, r6);
        r2 = t;
        t = zipLo(r3, r7);
        r7 = zipHi(r3, r7);
        r3 = t;
        t = zipLo(r0, r2);
        r2 = zipHi(r0, r2);
        r0 = t;
        t = zipLo(r4, r6);
        r6 = zipHi(r4, r6);
        r4 = t;
        t = zipLo(r1, r3);
        r3 = zipHi(r1, r3);
        r1 = t;
        t = zipLo(r5, r7);
        r7 = zipHi(r5, r7);
        r5 = t;
        t = zipLo(r0, r1);
        r1 = zipHi(r0, r1);
        r0 = t;
        t = zipLo(r2, r3);
        r3 = zipHi(r2, r3);
        r2 = t;
        t = zipLo(r4, r5);
        r5 = zipHi(r4, r5);
        r4 = t;
        t = zipLo(r6, r7);
        r7 = zipHi(r6, r7);
        r6 = t;
        r0.intoArray(dst, at);
        r1.intoArray(dst, at + step);
        r2.intoArray(dst, at + 2 * step);
        r3.intoArray(dst, at + 3 * step);
        r4.intoArray(dst, at + 4 * step);
        r5.intoArray(dst, at + 5 * step);
        r6.intoArray(dst, at + 6 * step);
        r7.intoArray(dst, at + 7 * step);
    }

    /// Interleaves V columns of 16 rows: 16 vectors, `step` apart.
    static void zip16(float[] src, int so, int ld, float[] dst, int at, int step) {
        FloatVector r0 = FloatVector.fromArray(F, src, so);
        FloatVector r1 = FloatVector.fromArray(F, src, so + ld);
        FloatVector r2 = FloatVector.fromArray(F, src, so + 2 * ld);
        FloatVector r3 = FloatVector.fromArray(F, src, so + 3 * ld);
        FloatVector r4 = FloatVector.fromArray(F, src, so + 4 * ld);
        FloatVector r5 = FloatVector.fromArray(F, src, so + 5 * ld);
        FloatVector r6 = FloatVector.fromArray(F, src, so + 6 * ld);
        FloatVector r7 = FloatVector.fromArray(F, src, so + 7 * ld);
        FloatVector r8 = FloatVector.fromArray(F, src, so + 8 * ld);
        FloatVector r9 = FloatVector.fromArray(F, src, so + 9 * ld);
        FloatVector r10 = FloatVector.fromArray(F, src, so + 10 * ld);
        FloatVector r11 = FloatVector.fromArray(F, src, so + 11 * ld);
        FloatVector r12 = FloatVector.fromArray(F, src, so + 12 * ld);
        FloatVector r13 = FloatVector.fromArray(F, src, so + 13 * ld);
        FloatVector r14 = FloatVector.fromArray(F, src, so + 14 * ld);
        FloatVector r15 = FloatVector.fromArray(F, src, so + 15 * ld);
        FloatVector t = zipLo(r0, r8);
        r8 = zipHi(r0, r8);
        r0 = t;
        t = zipLo(r1, r9);
        r9 = zipHi(r1, r9);
        r1 = t;
        t = zipLo(r2, r10);
        r10 = zipHi(r2, r10);
        r2 = t;
        t = zipLo(r3, r11);
        r11 = zipHi(r3, r11);
        r3 = t;
        t = zipLo(r4, r12);
        r12 = zipHi(r4, r12);
        r4 = t;
        t = zipLo(r5, r13);
        r13 = zipHi(r5, r13);
        r5 = t;
        t = zipLo(r6, r14);
        r14 = zipHi(r6, r14);
        r6 = t;
        t = zipLo(r7, r15);
        r15 = zipHi(r7, r15);
        r7 = t;
        t = zipLo(r0, r4);
        r4 = zipHi(r0, r4);
        r0 = t;
        t = zipLo(r8, r12);
        r12 = zipHi(r8, r12);
        r8 = t;
        t = zipLo(r1, r5);
        r5 = zipHi(r1, r5);
        r1 = t;
        t = zipLo(r9, r13);
        r13 = zipHi(r9, r13);
        r9 = t;
        t = zipLo(r2, r6);
        r6 = zipHi(r2, r6);
        r2 = t;
        t = zipLo(r10, r14);
        r14 = zipHi(r10, r14);
        r10 = t;
        t = zipLo(r3, r7);
        r7 = zipHi(r3, r7);
        r3 = t;
        t = zipLo(r11, r15);
        r15 = zipHi(r11, r15);
        r11 = t;
        t = zipLo(r0, r2);
        r2 = zipHi(r0, r2);
        r0 = t;
        t = zipLo(r4, r6);
        r6 = zipHi(r4, r6);
        r4 = t;
        t = zipLo(r8, r10);
        r10 = zipHi(r8, r10);
        r8 = t;
        t = zipLo(r12, r14);
        r14 = zipHi(r12, r14);
        r12 = t;
        t = zipLo(r1, r3);
        r3 = zipHi(r1, r3);
        r1 = t;
        t = zipLo(r5, r7);
        r7 = zipHi(r5, r7);
        r5 = t;
        t = zipLo(r9, r11);
        r11 = zipHi(r9, r11);
        r9 = t;
        t = zipLo(r13, r15);
        r15 = zipHi(r13, r15);
        r13 = t;
        t = zipLo(r0, r1);
        r1 = zipHi(r0, r1);
        r0 = t;
        t = zipLo(r2, r3);
        r3 = zipHi(r2, r3);
        r2 = t;
        t = zipLo(r4, r5);
        r5 = zipHi(r4, r5);
        r4 = t;
        t = zipLo(r6, r7);
        r7 = zipHi(r6, r7);
        r6 = t;
        t = zipLo(r8, r9);
        r9 = zipHi(r8, r9);
        r8 = t;
        t = zipLo(r10, r11);
        r11 = zipHi(r10, r11);
        r10 = t;
        t = zipLo(r12, r13);
        r13 = zipHi(r12, r13);
        r12 = t;
        t = zipLo(r14, r15);
        r15 = zipHi(r14, r15);
        r14 = t;
        r0.intoArray(dst, at);
        r1.intoArray(dst, at + step);
        r2.intoArray(dst, at + 2 * step);
        r3.intoArray(dst, at + 3 * step);
        r4.intoArray(dst, at + 4 * step);
        r5.intoArray(dst, at + 5 * step);
        r6.intoArray(dst, at + 6 * step);
        r7.intoArray(dst, at + 7 * step);
        r8.intoArray(dst, at + 8 * step);
        r9.intoArray(dst, at + 9 * step);
        r10.intoArray(dst, at + 10 * step);
        r11.intoArray(dst, at + 11 * step);
        r12.intoArray(dst, at + 12 * step);
        r13.intoArray(dst, at + 13 * step);
        r14.intoArray(dst, at + 14 * step);
        r15.intoArray(dst, at + 15 * step);
    }
}
