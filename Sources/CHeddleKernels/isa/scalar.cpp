// Plain code for any processor: what the others are compared with. Its fused multiply-adds may be library calls.

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

namespace heddle_scalar {
#include "../kernels/all.inc"
}  // namespace heddle_scalar

const KernelTable heddle_table_scalar = heddle_scalar::table;
