// AVX-512: a virtual vector is one register of 32; 8 rows × 3 tiles leave room for the weights.

#if defined(__x86_64__)

#include "../kernel_table.h"

// The same products and sums on every instruction set: nothing may be fused that is not written as fused.
#pragma clang fp contract(off)
// Vectors are only passed between functions of this file that are always inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#define HEDDLE_BLOCK_ROWS 8
#define HEDDLE_BLOCK_TILES_FEW 4
#define HEDDLE_BLOCK_TILES_MANY 3
#define HEDDLE_BLOCK_QUERIES 8

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi,bmi2"))), apply_to = function)
namespace heddle_avx512 {
#include "../kernels/all.inc"
}  // namespace heddle_avx512
#pragma clang attribute pop

const KernelTable heddle_table_avx512 = heddle_avx512::table;

#endif
