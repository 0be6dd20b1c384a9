// NEON: a virtual vector is four registers of 32. Every aarch64 has it, so no attribute is needed.

#if defined(__aarch64__)

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

namespace heddle_neon {
#include "../kernels/all.inc"
}  // namespace heddle_neon

const KernelTable heddle_table_neon = heddle_neon::table;

#endif
