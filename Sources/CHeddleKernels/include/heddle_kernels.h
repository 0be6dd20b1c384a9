/// Heddle's arithmetic on a processor: one C face over kernels that are compiled once per instruction set.
///
/// The rule that every function keeps: what an output element is depends on the row it belongs to and on nothing else.
/// Not on the number of rows, not on threads, not on the instruction set. Lanes run over outputs (or keys, or ranks),
/// never over the dimension that is summed, so each sum is one chain of fused multiply-adds in one order.
///
/// All arrays are row-major f32 unless said otherwise; a stride is the distance between rows in elements.
/// Nothing here checks its arguments: HeddleKernels, the Swift face, does that once per call.

#ifndef HEDDLE_KERNELS_H
#define HEDDLE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Lanes of the virtual vector, and outputs of a packed tile.
#define HEDDLE_LANES 16
/// Bytes behind the last packed weight that a kernel may read and ignore.
#define HEDDLE_PACKED_SLACK_BYTES 64
/// The widest attention head.
#define HEDDLE_HEAD_DIMENSION_MAX 256
/// Key positions in a block of the paged KV storage.
#define HEDDLE_KV_BLOCK_TOKENS 16
/// Leaves of the fixed tree along which row-parallel products are summed.
#define HEDDLE_TREE_LEAVES 8

// MARK: Instruction sets

typedef enum {
    HEDDLE_ISA_SCALAR = 0,
    HEDDLE_ISA_AVX2 = 1,
    HEDDLE_ISA_AVX512 = 2,
    HEDDLE_ISA_NEON = 3,
    /// AVX-512 with dot products of bytes (VNNI).
    HEDDLE_ISA_AVX512_VNNI = 4,
    /// AVX-512 with dot products of bytes and of bf16.
    HEDDLE_ISA_AVX512_BF16 = 5,
} heddle_isa;

/// Whether this processor runs the kernels of an instruction set.
bool heddle_isa_available(heddle_isa isa);
/// The instruction set in use: the environment's HEDDLE_ISA (scalar, avx2, avx512, avx512vnni, avx512bf16, neon) where it
/// names an available one, else the widest.
heddle_isa heddle_isa_current(void);
/// Uses another instruction set from now on, in the whole process; false where the processor lacks it.
bool heddle_isa_force(heddle_isa isa);
/// The name by which HEDDLE_ISA chooses it.
const char *heddle_isa_name(heddle_isa isa);

// MARK: Threads

/// Persistent threads that share the outputs of one call. One caller at a time.
typedef struct heddle_team heddle_team;

/// Starts `thread_count - 1` threads beside the caller's. Threads that find no work spin for `spin_microseconds`, then
/// sleep. Returns NULL when threads cannot be started.
heddle_team *heddle_team_create(int32_t thread_count, int32_t spin_microseconds);
void heddle_team_destroy(heddle_team *team);
int32_t heddle_team_thread_count(const heddle_team *team);

// MARK: Packed weights

/// How weights are stored, and with it how they are multiplied. Sums are f32 whatever it is.
///
/// A matrix is its tiles of 16 outputs one after another. Inside a tile inputs ascend, the outputs side by side:
/// - f32: 16 numbers an input. Rows stay f32, one fused multiply-add an input.
/// - bf16: pairs of inputs, 16 times two numbers. Rows are rounded to bf16; of a pair the second input is added first.
/// - int8: groups of 128 inputs: 16 scales, then quads of inputs, 16 times four bytes, each the weight + 128. Rows are
///   rounded to 8 bits with one scale a group; a group's sum is exact, and one fused multiply-add adds it.
/// - int4: groups of 64 inputs: 16 scales, then pairs of quads, 16 times four bytes, the first quad's weight + 8 in the
///   low half of a byte, the second's in the high half. Rows as for int8, with groups of 64.
/// Inputs that do not fill a pair or quads are followed by zeros. In f32 and bf16 the last tile is only as wide as its
/// outputs, so that a rank of 1 costs a rank of 1.
typedef enum {
    HEDDLE_FORMAT_F32 = 0,
    HEDDLE_FORMAT_BF16 = 1,
    HEDDLE_FORMAT_INT8 = 2,
    HEDDLE_FORMAT_INT4 = 3,
} heddle_format;

/// Inputs that share a scale; 0 for formats without scales.
int64_t heddle_group_inputs(heddle_format format);

/// Bytes of a tile of `width` (1 to 16) outputs.
int64_t heddle_tile_bytes(heddle_format format, int64_t width, int64_t inputs);

/// Bytes of a packed matrix, without the slack that must be readable behind it.
int64_t heddle_packed_bytes(heddle_format format, int64_t outputs, int64_t inputs);

/// Packs `output_count` (1 to 16) rows of a weight matrix as one tile. bf16 rounds to nearest, ties to even; int8 has
/// the largest magnitude of an output's group at 127; int4 has it at −8 or beyond, whichever of eight scales errs least.
void heddle_pack_tile(heddle_format format, const float *rows, int64_t row_stride, int64_t output_count,
                      int64_t inputs, void *tile);

/// What a packed weight stands for: the numbers of one output, for tests and for measuring what rounding costs.
void heddle_unpack_output(heddle_format format, const void *tile, int64_t width, int64_t output, int64_t inputs,
                          float *weights);

/// One packed matrix, outputs × inputs.
typedef struct {
    const void *weights;
    heddle_format format;
    int64_t outputs;
    int64_t inputs;
    /// From one tile's first byte to the next one's: `heddle_tile_bytes`, or more where the tiles of several matrices take
    /// turns (the leaves of one tree, so that whoever sums them reads one stream).
    int64_t tile_stride;
    /// Where its inputs begin in an operand's row: bytes of values, and groups.
    int64_t value_offset;
    int64_t group_offset;
} heddle_matrix;

// MARK: Operands

/// Rows in the form in which weights of one format are multiplied with them.
typedef struct {
    /// f32, bf16 or signed bytes, the row's first of them first.
    const void *values;
    int64_t row_bytes;
    /// For each row and group: what its bytes are multiplied by, and what its sums begin with (minus the weights' offset
    /// times the sum of its bytes).
    const float *scales;
    const int32_t *starts;
    int64_t row_groups;
} heddle_operand;

/// Bytes of a row's values of one part, and its groups. Parts lie one after another.
int64_t heddle_operand_bytes(heddle_format format, int64_t inputs);
int64_t heddle_operand_groups(heddle_format format, int64_t inputs);

/// Writes rows of f32 as an operand. Each row is cut into parts (the leaves that its products have), whose widths are
/// `part_inputs`; none shares a pair or a group with another.
void heddle_prepare(heddle_team *team, heddle_format format, const float *x, int64_t x_stride, int64_t rows,
                    const int64_t *part_inputs, int64_t part_count, void *values, int64_t row_bytes, float *scales,
                    int32_t *starts, int64_t row_groups);

// MARK: Products

/// y[row][output] = Σ x[row][input] · w[output][input], inputs ascending in one chain from zero.
///
/// With `leaf_count` > 1 the inputs are cut into leaves `leaf_first ..< leaf_first + leaf_count` of a binary tree over
/// eight leaves, each a matrix with the same outputs. Each maximal node of the tree that those leaves cover is written
/// to y + node · node_stride, nodes in ascending order: the sums inside it are taken along the tree.
typedef struct {
    const heddle_matrix *leaves;
    int32_t leaf_first;
    int32_t leaf_count;
    heddle_operand x;
    int64_t rows;
    float *y;
    int64_t y_stride;
    int64_t node_stride;
    /// Whether y += scale · sum instead of y = sum.
    bool accumulates;
    float scale;
} heddle_product;

/// Computes all products, their output tiles shared among the team's threads. No product may read what another writes.
void heddle_products(heddle_team *team, const heddle_product *products, int64_t product_count);

/// Maximal tree nodes that cover the leaves first ..< first + count, as (first leaf, leaf count) pairs in ascending
/// order; returns how many (at most 6).
int32_t heddle_tree_nodes(int32_t leaf_first, int32_t leaf_count, int32_t *node_firsts, int32_t *node_counts);

// MARK: Rows

/// y[row] = x[row] / sqrt(mean(x[row]²) + epsilon) · weight.
void heddle_rms_norm(heddle_team *team, const float *x, int64_t x_stride, const float *weight, int64_t width,
                     float epsilon, int64_t rows, float *y, int64_t y_stride);

/// Rotates the first `rotary_dimension` elements of each head in place (Hugging Face's layout: dimension i pairs with
/// i + rotary_dimension / 2); the others stay. Tables hold rotary_dimension / 2 values per position.
void heddle_rotary(heddle_team *team, float *x, int64_t x_stride, int64_t rows, int64_t head_count,
                   int64_t head_dimension, int64_t rotary_dimension, const int32_t *positions, const float *cosines,
                   const float *sines);

/// What gates a feed-forward part.
typedef enum {
    /// x / (1 + exp(−x))
    HEDDLE_ACTIVATION_SILU = 0,
    /// ½x(1 + tanh(√(2/π)(x + 0.044715x³)))
    HEDDLE_ACTIVATION_GELU_TANH = 1,
} heddle_activation;

/// gate = activation(gate) · up.
void heddle_gate(heddle_team *team, heddle_activation activation, float *gate, int64_t gate_stride, const float *up,
                 int64_t up_stride, int64_t width, int64_t rows);

/// x += addend · scale, count elements.
void heddle_add(heddle_team *team, float *x, const float *addend, float scale, int64_t count);

/// x[row] += addend, `width` elements of each row.
void heddle_add_to_rows(heddle_team *team, float *x, int64_t x_stride, const float *addend, int64_t width,
                        int64_t rows);

/// x = x / divisor, and then cap · tanh(x / cap) where cap is not zero; count elements.
void heddle_cap(heddle_team *team, float *x, float divisor, float cap, int64_t count);

/// The smallest index of the largest of `count` (at least 1) values. A NaN is never the largest.
int64_t heddle_argmax(const float *x, int64_t count);

/// log Σ exp(x), of `count` (at least 1) values.
double heddle_log_sum_exp(const float *x, int64_t count);

/// y = exp(x) by the kernels' own polynomial, for tests of its error.
void heddle_exp(const float *x, float *y, int64_t count);

/// y = tanh(x) likewise.
void heddle_tanh(const float *x, float *y, int64_t count);

// MARK: Paged attention

/// Floats of one block: for each KV head, keys as head_dimension × 16 positions, then values as 16 positions × head
/// dimension rounded up to 16.
int64_t heddle_kv_block_floats(int64_t kv_head_count, int64_t head_dimension);

/// Consecutive rows of one sequence.
typedef struct {
    /// The sequence's blocks, 16 positions each, from position 0.
    const int32_t *blocks;
    int64_t row_first;
    int64_t row_count;
    int64_t position_first;
} heddle_rows_of_sequence;

typedef struct {
    int64_t head_dimension;
    int64_t kv_head_count;
    /// Query heads present in a row, and for each the KV head (of those present) that it reads.
    int64_t head_count;
    const int32_t *kv_head_of_head;
    /// What scores are multiplied by.
    float scale;
    /// Scores are then cap · tanh(score / cap); 0 leaves them.
    float cap;
    /// How many positions a row sees, its own the last of them; 0 is all.
    int64_t window;
} heddle_heads;

/// Writes the rows' keys and values (kv_head_count · head_dimension each) into their blocks.
void heddle_store_kv(heddle_team *team, const heddle_heads *heads, const heddle_rows_of_sequence *sequences,
                     int64_t sequence_count, const float *keys, int64_t key_stride, const float *values,
                     int64_t value_stride, float *kv);

/// Causal attention of each row over the positions up to its own, block by block from the first that its window
/// reaches, with an online softmax. Query heads that share a KV head must be neighbours.
void heddle_attention(heddle_team *team, const heddle_heads *heads, const heddle_rows_of_sequence *sequences,
                      int64_t sequence_count, const float *queries, int64_t query_stride, const float *kv, float *out,
                      int64_t out_stride);

// MARK: Roofs

/// Reads `bytes` bytes once through the widest loads, shared among the team; the bandwidth roof of the same run.
uint64_t heddle_read_probe(heddle_team *team, const void *memory, int64_t bytes);

/// Multiplies and adds in registers alone, as products of a format do, on every thread of the team: the arithmetic roof of
/// the same run. A round is one operation of each of some chains, about `rounds` of them on each thread. Returns the
/// multiplications and additions done.
int64_t heddle_arithmetic_probe(heddle_team *team, heddle_format format, int64_t rounds);

#ifdef __cplusplus
}
#endif

#endif
