// Lays weights out for the kernels, once, when a shard or an adapter is packed.

#include "kernel_table.h"

#include <string.h>

namespace {

uint16_t rounded_to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);  // a NaN stays one
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

}  // namespace

extern "C" int64_t heddle_packed_bytes(heddle_format format, int64_t outputs, int64_t inputs) {
    return outputs * inputs * (format == HEDDLE_FORMAT_BF16 ? 2 : 4);
}

extern "C" void heddle_pack_tile(heddle_format format, const float *rows, int64_t row_stride, int64_t output_count,
                                 int64_t inputs, void *tile) {
    // Inputs in groups that fit the nearest cache, so that each line of the source is read once.
    for (int64_t first = 0; first < inputs; first += 64) {
        const int64_t end = inputs - first < 64 ? inputs : first + 64;
        for (int64_t output = 0; output < output_count; ++output) {
            const float *row = rows + output * row_stride;
            if (format == HEDDLE_FORMAT_BF16)
                for (int64_t k = first; k < end; ++k) ((uint16_t *)tile)[k * output_count + output] = rounded_to_bf16(row[k]);
            else
                for (int64_t k = first; k < end; ++k) ((float *)tile)[k * output_count + output] = row[k];
        }
    }
}

extern "C" int32_t heddle_tree_nodes(int32_t leaf_first, int32_t leaf_count, int32_t *node_firsts,
                                     int32_t *node_counts) {
    int32_t nodes = 0, leaf = leaf_first, end = leaf_first + leaf_count;
    while (leaf < end) {
        int32_t span = 1;
        while (leaf % (2 * span) == 0 && leaf + 2 * span <= end && 2 * span <= HEDDLE_TREE_LEAVES) span *= 2;
        node_firsts[nodes] = leaf;
        node_counts[nodes] = span;
        nodes += 1;
        leaf += span;
    }
    return nodes;
}
