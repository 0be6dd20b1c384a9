// Lays weights out for the kernels, once, when a shard or an adapter is packed.

#include "kernel_table.h"

#include <math.h>
#include <string.h>

namespace {

uint16_t rounded_to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);  // a NaN stays one
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float from_bf16(uint16_t half) {
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

int64_t rounded_up(int64_t value, int64_t to) { return (value + to - 1) / to * to; }

/// What one vector of a tile covers of the inputs.
int64_t vector_inputs(heddle_format format) {
    switch (format) {
    case HEDDLE_FORMAT_BF16: return 2;
    case HEDDLE_FORMAT_INT8: return 4;
    case HEDDLE_FORMAT_INT4: return 8;
    default: return 1;
    }
}

bool has_groups(heddle_format format) { return heddle_group_inputs(format) > 0; }

/// Of one output's group: the scale, and what turns a weight into its integer.
struct Scale {
    float scale, inverse;
};

/// The number of a group that is largest by magnitude.
float largest_of(const float *row, int64_t count) {
    float largest = 0;
    for (int64_t k = 0; k < count; ++k) largest = fabsf(row[k]) > fabsf(largest) ? row[k] : largest;
    return largest;
}

int nibble(float weight, float inverse) {
    const float whole = rintf(weight * inverse);
    return (int)(whole < -8 ? -8 : whole > 7 ? 7 : whole);
}

/// The largest magnitude at −8, or beyond it: among eight steps the one whose squared error is least, so that a lone large
/// weight does not cost all others their accuracy.
Scale scale_of_nibbles(const float *row, int64_t count) {
    const float largest = largest_of(row, count);
    if (fabsf(largest) < 0x1p-100f) return Scale{0, 0};
    Scale best{0, 0};
    float least = INFINITY;
    for (int step = 0; step < 8; ++step) {
        const float scale = largest / -8.0f * (1.0f - 0.04f * (float)step), inverse = 1.0f / scale;
        float error = 0;
        for (int64_t k = 0; k < count; ++k) {
            const float off = (float)nibble(row[k], inverse) * scale - row[k];
            error += off * off;
        }
        if (error < least) least = error, best = Scale{scale, inverse};
    }
    return best;
}

Scale scale_of_bytes(const float *row, int64_t count) {
    const float largest = fabsf(largest_of(row, count));
    return Scale{largest / 127.0f, largest > 0x1p-100f ? 127.0f / largest : 0.0f};
}

void pack_groups(heddle_format format, const float *rows, int64_t row_stride, int64_t output_count, int64_t inputs,
                 char *tile) {
    const int64_t group = heddle_group_inputs(format), per_vector = vector_inputs(format);
    const int offset = format == HEDDLE_FORMAT_INT8 ? 128 : 8;
    for (int64_t first = 0; first < inputs; first += group) {
        const int64_t count = inputs - first < group ? inputs - first : group;
        const int64_t vectors = (count + per_vector - 1) / per_vector;
        float *scales = (float *)tile;
        uint8_t *bytes = (uint8_t *)tile + 64;
        for (int64_t output = 0; output < 16; ++output) {
            const bool here = output < output_count;
            const float *row = rows + (here ? output : 0) * row_stride + first;
            Scale scale{0, 0};
            if (here) scale = format == HEDDLE_FORMAT_INT8 ? scale_of_bytes(row, count) : scale_of_nibbles(row, count);
            scales[output] = scale.scale;
            for (int64_t k = 0; k < vectors * per_vector; ++k) {
                int whole = offset;
                if (k < count)
                    whole += format == HEDDLE_FORMAT_INT8 ? (int)lrintf(row[k] * scale.inverse)
                                                          : nibble(row[k], scale.inverse);
                uint8_t *byte = bytes + k / per_vector * 64 + output * 4 + k % 4;
                if (format == HEDDLE_FORMAT_INT8)
                    *byte = (uint8_t)whole;
                else if (k % 8 < 4)
                    *byte = (uint8_t)whole;
                else
                    *byte |= (uint8_t)(whole << 4);
            }
        }
        tile += 64 + vectors * 64;
    }
}

}  // namespace

extern "C" int64_t heddle_group_inputs(heddle_format format) {
    return format == HEDDLE_FORMAT_INT8 ? 128 : format == HEDDLE_FORMAT_INT4 ? 64 : 0;
}

extern "C" int64_t heddle_operand_groups(heddle_format format, int64_t inputs) {
    const int64_t group = heddle_group_inputs(format);
    return group ? (inputs + group - 1) / group : 0;
}

extern "C" int64_t heddle_operand_bytes(heddle_format format, int64_t inputs) {
    const int64_t padded = rounded_up(inputs, vector_inputs(format));
    switch (format) {
    case HEDDLE_FORMAT_F32: return padded * 4;
    case HEDDLE_FORMAT_BF16: return padded * 2;
    default: return padded;
    }
}

extern "C" int64_t heddle_tile_bytes(heddle_format format, int64_t width, int64_t inputs) {
    const int64_t vectors = (inputs + vector_inputs(format) - 1) / vector_inputs(format);
    if (has_groups(format)) return (vectors + heddle_operand_groups(format, inputs)) * 64;
    return vectors * width * 4;
}

extern "C" int64_t heddle_packed_bytes(heddle_format format, int64_t outputs, int64_t inputs) {
    const int64_t rest = outputs % 16;
    return outputs / 16 * heddle_tile_bytes(format, 16, inputs)
        + (rest ? heddle_tile_bytes(format, rest, inputs) : 0);
}

extern "C" void heddle_pack_tile(heddle_format format, const float *rows, int64_t row_stride, int64_t output_count,
                                 int64_t inputs, void *tile) {
    if (has_groups(format)) return pack_groups(format, rows, row_stride, output_count, inputs, (char *)tile);
    // Inputs in chunks that fit the nearest cache, so that each line of the source is read once.
    for (int64_t first = 0; first < inputs; first += 64) {
        const int64_t end = inputs - first < 64 ? inputs : first + 64;
        for (int64_t output = 0; output < output_count; ++output) {
            const float *row = rows + output * row_stride;
            if (format == HEDDLE_FORMAT_BF16) {
                uint16_t *to = (uint16_t *)tile;
                for (int64_t k = first; k < end; ++k)
                    to[(k / 2 * output_count + output) * 2 + k % 2] = rounded_to_bf16(row[k]);
                if (end == inputs && inputs % 2) to[(inputs / 2 * output_count + output) * 2 + 1] = 0;
            } else {
                for (int64_t k = first; k < end; ++k) ((float *)tile)[k * output_count + output] = row[k];
            }
        }
    }
}

extern "C" void heddle_unpack_output(heddle_format format, const void *tile, int64_t width, int64_t output,
                                     int64_t inputs, float *weights) {
    const int64_t group = heddle_group_inputs(format), per_vector = vector_inputs(format);
    for (int64_t k = 0; k < inputs; ++k) {
        if (format == HEDDLE_FORMAT_F32) {
            weights[k] = ((const float *)tile)[k * width + output];
        } else if (format == HEDDLE_FORMAT_BF16) {
            weights[k] = from_bf16(((const uint16_t *)tile)[(k / 2 * width + output) * 2 + k % 2]);
        } else {
            const char *at = (const char *)tile + k / group * (64 + group / per_vector * 64);
            const uint8_t byte = (uint8_t)at[64 + k % group / per_vector * 64 + output * 4 + k % 4];
            const int whole = format == HEDDLE_FORMAT_INT8 ? byte - 128 : (k % 8 < 4 ? byte & 15 : byte >> 4) - 8;
            weights[k] = ((const float *)at)[output] * (float)whole;
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
