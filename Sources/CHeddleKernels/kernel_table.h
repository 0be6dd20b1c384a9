// The functions that each instruction set provides: serial pieces of work, which entry.cpp shares among threads.

#ifndef HEDDLE_KERNEL_TABLE_H
#define HEDDLE_KERNEL_TABLE_H

#include "heddle_kernels.h"

struct KernelTable {
    /// One row as an operand.
    void (*prepare)(heddle_format format, const float *x, const int64_t *part_inputs, int64_t part_count, void *values,
                    float *scales, int32_t *starts);
    /// Tiles that `product` computes side by side.
    int64_t (*product_tiles)(const heddle_product *product);
    /// Tiles tile_first ..< tile_end of one product.
    void (*product)(const heddle_product *product, int64_t tile_first, int64_t tile_end);
    void (*rms_norm)(const float *x, int64_t x_stride, const float *weight, int64_t width, float epsilon, int64_t rows,
                     float *y, int64_t y_stride);
    void (*rotary)(float *x, int64_t x_stride, int64_t rows, int64_t head_count, int64_t head_dimension,
                   int64_t rotary_dimension, const int32_t *positions, const float *cosines, const float *sines);
    void (*gate)(heddle_activation activation, float *gate, int64_t gate_stride, const float *up, int64_t up_stride,
                 int64_t width, int64_t rows);
    void (*add)(float *x, const float *addend, float scale, int64_t count);
    void (*add_to_rows)(float *x, int64_t x_stride, const float *addend, int64_t width, int64_t rows);
    void (*cap)(float *x, float divisor, float cap, int64_t count);
    int64_t (*argmax)(const float *x, int64_t count);
    double (*log_sum_exp)(const float *x, int64_t count);
    void (*exp)(const float *x, float *y, int64_t count);
    void (*tanh)(const float *x, float *y, int64_t count);
    /// One KV head, and rows row_first ..< row_end of one sequence.
    void (*attention)(const heddle_heads *heads, const heddle_rows_of_sequence *sequence, int64_t head_first,
                      int64_t head_end, int64_t row_first, int64_t row_end, const float *queries, int64_t query_stride,
                      const float *kv, float *out, int64_t out_stride);
    uint64_t (*read_probe)(const void *memory, int64_t bytes);
    /// Returns the operations done; the result is written so that they must be.
    int64_t (*arithmetic_probe)(heddle_format format, int64_t rounds, float *result);
};

/// The table in use.
const KernelTable &heddle_kernels(void);

extern const KernelTable heddle_table_scalar;
#if defined(__x86_64__)
extern const KernelTable heddle_table_avx2;
extern const KernelTable heddle_table_avx512;
extern const KernelTable heddle_table_avx512vnni;
extern const KernelTable heddle_table_avx512bf16;
#elif defined(__aarch64__)
extern const KernelTable heddle_table_neon;
#endif

/// Runs body(context, first, end) over parts of 0 ..< count, each at most `grain` long, on the team's threads.
void heddle_team_run(heddle_team *team, void (*body)(const void *context, int64_t first, int64_t end),
                     const void *context, int64_t count, int64_t grain);

#endif
