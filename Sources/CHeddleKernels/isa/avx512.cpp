// AVX-512 without dot products: bytes are multiplied as 16-bit numbers, bf16 as f32.

#if defined(__x86_64__)

#include "../kernel_table.h"

// The same products and sums on every instruction set: nothing may be fused that is not written as fused.
#pragma clang fp contract(off)
// Vectors are only passed between functions of this file that are always inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#include "avx512_blocks.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi,bmi2"))), apply_to = function)
namespace heddle_avx512 {
#define HEDDLE_DOT_SHORTS
#include "../kernels/all.inc"
}  // namespace heddle_avx512
#pragma clang attribute pop

const KernelTable heddle_table_avx512 = heddle_avx512::table;

#endif
