// AVX2 with FMA: a virtual vector is two registers of 16, so blocks are small.

#if defined(__x86_64__)

#include "../kernel_table.h"

// The same products and sums on every instruction set: nothing may be fused that is not written as fused.
#pragma clang fp contract(off)
// Vectors are only passed between functions of this file that are always inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#define HEDDLE_BLOCK_ROWS 4
#define HEDDLE_BLOCK_ROWS_INTEGER 4
#define HEDDLE_BLOCK_TILES 1
#define HEDDLE_BLOCK_QUERIES 4
#define HEDDLE_PROBE_CHAINS 6

#pragma clang attribute push(__attribute__((target("avx,avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
namespace heddle_avx2 {
#define HEDDLE_DOT_SHORTS
#include "../kernels/all.inc"
}  // namespace heddle_avx2
#pragma clang attribute pop

const KernelTable heddle_table_avx2 = heddle_avx2::table;

#endif
