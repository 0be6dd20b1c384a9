// AVX-512 with dot products of bytes (VNNI) and of bf16.

#if defined(__x86_64__)

#include "../kernel_table.h"

#include <immintrin.h>

// The same products and sums on every instruction set: nothing may be fused that is not written as fused.
#pragma clang fp contract(off)
// Vectors are only passed between functions of this file that are always inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#include "avx512_blocks.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,avx2,fma,bmi,bmi2"))), apply_to = function)
namespace heddle_avx512bf16 {
#define HEDDLE_DOT_BYTES
#define HEDDLE_DOT_BF16
#include "../kernels/all.inc"
}  // namespace heddle_avx512bf16
#pragma clang attribute pop

const KernelTable heddle_table_avx512bf16 = heddle_avx512bf16::table;

#endif
