// The public functions: each cuts its work into independent parts and lets the team run them with the chosen kernels.

#include "kernel_table.h"

namespace {

int64_t ceil_divide(int64_t value, int64_t by) { return (value + by - 1) / by; }

/// About how many parts a call is cut into for each thread: enough to even out a slow core, few enough to cost nothing.
const int64_t parts_per_thread = 4;
/// Products of many rows are cut finer: a part is many microseconds long, and who waits for the last one loses it.
const int64_t parts_per_thread_fine = 16;

int64_t grain_for(const heddle_team *team, int64_t count, int64_t parts = parts_per_thread) {
    int64_t grain = ceil_divide(count, heddle_team_thread_count(team) * parts);
    return grain < 1 ? 1 : grain;
}

struct Products {
    /// One table from the first part to the last, whoever forces another meanwhile: parts are counted in its tiles.
    const KernelTable &kernels;
    const heddle_product *products;
    int64_t count;
};

int64_t units_of(const KernelTable &kernels, const heddle_product &product) {
    return ceil_divide(ceil_divide(product.leaves->outputs, 16), kernels.product_tiles(&product));
}

void run_products(const void *context, int64_t first, int64_t end) {
    const Products *all = (const Products *)context;
    int64_t before = 0;
    for (int64_t i = 0; i < all->count && before < end; ++i) {
        const heddle_product &product = all->products[i];
        if (product.rows == 0 || product.leaves->outputs == 0) continue;
        const int64_t units = units_of(all->kernels, product), tiles = ceil_divide(product.leaves->outputs, 16);
        const int64_t step = all->kernels.product_tiles(&product);
        const int64_t from = first > before ? first - before : 0, to = end - before < units ? end - before : units;
        if (from < to)
            all->kernels.product(&product, from * step, to * step < tiles ? to * step : tiles);
        before += units;
    }
}

struct Preparation {
    heddle_format format;
    const float *x;
    int64_t x_stride;
    const int64_t *part_inputs;
    int64_t part_count;
    char *values;
    int64_t row_bytes;
    float *scales;
    int32_t *starts;
    int64_t row_groups;
};

void run_prepare(const void *context, int64_t first, int64_t end) {
    const Preparation *c = (const Preparation *)context;
    for (int64_t row = first; row < end; ++row)
        heddle_kernels().prepare(c->format, c->x + row * c->x_stride, c->part_inputs, c->part_count,
                                 c->values + row * c->row_bytes, c->scales + row * c->row_groups,
                                 c->starts + row * c->row_groups);
}

struct Norm {
    const float *x;
    int64_t x_stride;
    const float *weight;
    int64_t width;
    float epsilon;
    float *y;
    int64_t y_stride;
};

void run_norm(const void *context, int64_t first, int64_t end) {
    const Norm *c = (const Norm *)context;
    heddle_kernels().rms_norm(c->x + first * c->x_stride, c->x_stride, c->weight, c->width, c->epsilon, end - first,
                              c->y + first * c->y_stride, c->y_stride);
}

struct Rotation {
    float *x;
    int64_t x_stride, head_count, head_dimension, rotary_dimension;
    const int32_t *positions;
    const float *cosines, *sines;
};

void run_rotary(const void *context, int64_t first, int64_t end) {
    const Rotation *c = (const Rotation *)context;
    heddle_kernels().rotary(c->x + first * c->x_stride, c->x_stride, end - first, c->head_count, c->head_dimension,
                            c->rotary_dimension, c->positions + first, c->cosines, c->sines);
}

struct Gating {
    heddle_activation activation;
    float *gate;
    int64_t gate_stride;
    const float *up;
    int64_t up_stride, width;
};

void run_gate(const void *context, int64_t first, int64_t end) {
    const Gating *c = (const Gating *)context;
    heddle_kernels().gate(c->activation, c->gate + first * c->gate_stride, c->gate_stride,
                          c->up + first * c->up_stride, c->up_stride, c->width, end - first);
}

struct Addition {
    float *x;
    const float *addend;
    float scale;
    int64_t count;
};
/// Elements of one part of a call that runs over elements.
const int64_t element_chunk = 4096;

void run_add(const void *context, int64_t first, int64_t end) {
    const Addition *c = (const Addition *)context;
    const int64_t from = first * element_chunk, to = end * element_chunk < c->count ? end * element_chunk : c->count;
    heddle_kernels().add(c->x + from, c->addend + from, c->scale, to - from);
}

struct RowAddition {
    float *x;
    int64_t x_stride;
    const float *addend;
    int64_t width;
};

void run_add_to_rows(const void *context, int64_t first, int64_t end) {
    const RowAddition *c = (const RowAddition *)context;
    heddle_kernels().add_to_rows(c->x + first * c->x_stride, c->x_stride, c->addend, c->width, end - first);
}

struct Capping {
    float *x;
    float divisor, cap;
    int64_t count;
};

void run_cap(const void *context, int64_t first, int64_t end) {
    const Capping *c = (const Capping *)context;
    const int64_t from = first * element_chunk, to = end * element_chunk < c->count ? end * element_chunk : c->count;
    heddle_kernels().cap(c->x + from, c->divisor, c->cap, to - from);
}

struct Attention {
    const heddle_heads *heads;
    const heddle_rows_of_sequence *sequences;
    int64_t sequence_count;
    const float *queries;
    int64_t query_stride;
    const float *kv;
    float *out;
    int64_t out_stride;
};

/// Rows of one sequence that one part takes: prompts are cut so that threads share them.
const int64_t attention_rows = 16;

/// Parts are (sequence, run of rows, KV head), in this order.
void run_attention(const void *context, int64_t first, int64_t end) {
    const Attention *c = (const Attention *)context;
    const int32_t *kv_of = c->heads->kv_head_of_head;
    int64_t part = 0;
    for (int64_t s = 0; s < c->sequence_count && part < end; ++s) {
        const heddle_rows_of_sequence *sequence = c->sequences + s;
        for (int64_t row = 0; row < sequence->row_count; row += attention_rows) {
            const int64_t row_end =
                sequence->row_count - row < attention_rows ? sequence->row_count : row + attention_rows;
            for (int64_t head = 0; head < c->heads->head_count;) {
                int64_t head_end = head + 1;
                while (head_end < c->heads->head_count && kv_of[head_end] == kv_of[head]) ++head_end;
                if (part >= first && part < end)
                    heddle_kernels().attention(c->heads, sequence, head, head_end, row, row_end, c->queries,
                                               c->query_stride, c->kv, c->out, c->out_stride);
                part += 1;
                head = head_end;
            }
        }
    }
}

struct Storing {
    const heddle_heads *heads;
    const heddle_rows_of_sequence *sequences;
    int64_t sequence_count;
    const float *keys;
    int64_t key_stride;
    const float *values;
    int64_t value_stride;
    float *kv;
};

void run_store(const void *context, int64_t first, int64_t end) {
    const Storing *c = (const Storing *)context;
    const int64_t dimension = c->heads->head_dimension, padded = (dimension + 15) / 16 * 16;
    const int64_t head_floats = 16 * dimension + 16 * padded;
    for (int64_t s = first; s < end; ++s) {
        const heddle_rows_of_sequence *sequence = c->sequences + s;
        for (int64_t row = 0; row < sequence->row_count; ++row) {
            const int64_t position = sequence->position_first + row, slot = position % 16;
            const int64_t block = sequence->blocks[position / 16];
            for (int64_t head = 0; head < c->heads->kv_head_count; ++head) {
                float *to = c->kv + (block * c->heads->kv_head_count + head) * head_floats;
                const float *key = c->keys + (sequence->row_first + row) * c->key_stride + head * dimension;
                const float *value = c->values + (sequence->row_first + row) * c->value_stride + head * dimension;
                for (int64_t d = 0; d < dimension; ++d) to[d * 16 + slot] = key[d];
                for (int64_t d = 0; d < dimension; ++d) to[16 * dimension + slot * padded + d] = value[d];
            }
        }
    }
}

struct Probe {
    const char *memory;
    int64_t bytes;
    uint64_t *sum;
};
const int64_t probe_chunk_bytes = 1 << 20;

struct Spin {
    heddle_format format;
    int64_t rounds;
    int64_t *operations;
};

void run_spin(const void *context, int64_t first, int64_t end) {
    const Spin *c = (const Spin *)context;
    for (int64_t part = first; part < end; ++part) {
        float result;
        const int64_t operations = heddle_kernels().arithmetic_probe(c->format, c->rounds, &result);
        __atomic_add_fetch(c->operations, operations + (result == 0.125f), __ATOMIC_RELAXED);
    }
}

void run_probe(const void *context, int64_t first, int64_t end) {
    const Probe *c = (const Probe *)context;
    const int64_t from = first * probe_chunk_bytes;
    const int64_t to = end * probe_chunk_bytes < c->bytes ? end * probe_chunk_bytes : c->bytes;
    __atomic_xor_fetch(c->sum, heddle_kernels().read_probe(c->memory + from, to - from), __ATOMIC_RELAXED);
}

}  // namespace

extern "C" void heddle_products(heddle_team *team, const heddle_product *products, int64_t product_count) {
    Products context = {heddle_kernels(), products, product_count};
    int64_t units = 0, cost = 0, rows_max = 0;
    for (int64_t i = 0; i < product_count; ++i) {
        if (products[i].rows > rows_max) rows_max = products[i].rows;
        if (products[i].rows == 0 || products[i].leaves->outputs == 0) continue;
        units += units_of(context.kernels, products[i]);
        for (int32_t leaf = 0; leaf < products[i].leaf_count; ++leaf)
            cost += products[i].leaves[leaf].outputs * products[i].leaves[leaf].inputs * (products[i].rows + 3);
    }
    // Below some ten microseconds of work, waking others costs more than it brings.
    const bool worth_sharing = cost > 200000;
    heddle_team_run(worth_sharing ? team : nullptr, run_products, &context, units,
                    grain_for(team, units, rows_max > 4 ? parts_per_thread_fine : parts_per_thread));
}

extern "C" void heddle_prepare(heddle_team *team, heddle_format format, const float *x, int64_t x_stride, int64_t rows,
                               const int64_t *part_inputs, int64_t part_count, void *values, int64_t row_bytes,
                               float *scales, int32_t *starts, int64_t row_groups) {
    Preparation context = {format, x,      x_stride, part_inputs, part_count, (char *)values, row_bytes,
                           scales, starts, row_groups};
    heddle_team_run(rows * row_bytes > 20000 ? team : nullptr, run_prepare, &context, rows, grain_for(team, rows));
}

extern "C" void heddle_rms_norm(heddle_team *team, const float *x, int64_t x_stride, const float *weight, int64_t width,
                                float epsilon, int64_t rows, float *y, int64_t y_stride) {
    Norm context = {x, x_stride, weight, width, epsilon, y, y_stride};
    heddle_team_run(rows * width > 50000 ? team : nullptr, run_norm, &context, rows, grain_for(team, rows));
}

extern "C" void heddle_rotary(heddle_team *team, float *x, int64_t x_stride, int64_t rows, int64_t head_count,
                              int64_t head_dimension, int64_t rotary_dimension, const int32_t *positions,
                              const float *cosines, const float *sines) {
    Rotation context = {x, x_stride, head_count, head_dimension, rotary_dimension, positions, cosines, sines};
    const bool worth_sharing = rows * head_count * rotary_dimension > 50000;
    heddle_team_run(worth_sharing ? team : nullptr, run_rotary, &context, rows, grain_for(team, rows));
}

extern "C" void heddle_gate(heddle_team *team, heddle_activation activation, float *gate, int64_t gate_stride,
                            const float *up, int64_t up_stride, int64_t width, int64_t rows) {
    Gating context = {activation, gate, gate_stride, up, up_stride, width};
    heddle_team_run(rows * width > 20000 ? team : nullptr, run_gate, &context, rows, grain_for(team, rows));
}

extern "C" void heddle_add(heddle_team *team, float *x, const float *addend, float scale, int64_t count) {
    Addition context = {x, addend, scale, count};
    const int64_t chunks = ceil_divide(count, element_chunk);
    heddle_team_run(count > 100000 ? team : nullptr, run_add, &context, chunks, grain_for(team, chunks));
}

extern "C" void heddle_add_to_rows(heddle_team *team, float *x, int64_t x_stride, const float *addend, int64_t width,
                                   int64_t rows) {
    RowAddition context = {x, x_stride, addend, width};
    heddle_team_run(rows * width > 100000 ? team : nullptr, run_add_to_rows, &context, rows, grain_for(team, rows));
}

extern "C" void heddle_cap(heddle_team *team, float *x, float divisor, float cap, int64_t count) {
    Capping context = {x, divisor, cap, count};
    const int64_t chunks = ceil_divide(count, element_chunk);
    heddle_team_run(count > 20000 ? team : nullptr, run_cap, &context, chunks, grain_for(team, chunks));
}

extern "C" int64_t heddle_argmax(const float *x, int64_t count) { return heddle_kernels().argmax(x, count); }

extern "C" double heddle_log_sum_exp(const float *x, int64_t count) { return heddle_kernels().log_sum_exp(x, count); }

extern "C" void heddle_exp(const float *x, float *y, int64_t count) { heddle_kernels().exp(x, y, count); }

extern "C" void heddle_tanh(const float *x, float *y, int64_t count) { heddle_kernels().tanh(x, y, count); }

extern "C" int64_t heddle_kv_block_floats(int64_t kv_head_count, int64_t head_dimension) {
    return kv_head_count * (16 * head_dimension + 16 * ((head_dimension + 15) / 16 * 16));
}

extern "C" void heddle_store_kv(heddle_team *team, const heddle_heads *heads, const heddle_rows_of_sequence *sequences,
                                int64_t sequence_count, const float *keys, int64_t key_stride, const float *values,
                                int64_t value_stride, float *kv) {
    Storing context = {heads, sequences, sequence_count, keys, key_stride, values, value_stride, kv};
    (void)team;  // Copies; a prompt's share of a step is too small to share.
    run_store(&context, 0, sequence_count);
}

extern "C" void heddle_attention(heddle_team *team, const heddle_heads *heads, const heddle_rows_of_sequence *sequences,
                                 int64_t sequence_count, const float *queries, int64_t query_stride, const float *kv,
                                 float *out, int64_t out_stride) {
    Attention context = {heads, sequences, sequence_count, queries, query_stride, kv, out, out_stride};
    int64_t groups = 0, parts = 0, cost = 0;
    for (int64_t head = 0; head < heads->head_count; ++head)
        groups += head == 0 || heads->kv_head_of_head[head] != heads->kv_head_of_head[head - 1];
    for (int64_t s = 0; s < sequence_count; ++s) {
        parts += ceil_divide(sequences[s].row_count, attention_rows) * groups;
        int64_t seen = sequences[s].position_first + sequences[s].row_count;
        if (heads->window > 0 && seen > heads->window) seen = heads->window;
        cost += sequences[s].row_count * seen * heads->head_count * heads->head_dimension;
    }
    heddle_team_run(cost > 200000 ? team : nullptr, run_attention, &context, parts, 1);
}

extern "C" uint64_t heddle_read_probe(heddle_team *team, const void *memory, int64_t bytes) {
    uint64_t sum = 0;
    Probe context = {(const char *)memory, bytes, &sum};
    heddle_team_run(team, run_probe, &context, ceil_divide(bytes, probe_chunk_bytes), 4);
    return sum;
}

extern "C" int64_t heddle_arithmetic_probe(heddle_team *team, heddle_format format, int64_t rounds) {
    int64_t operations = 0;
    const int64_t threads = heddle_team_thread_count(team);
    // Many parts, so that each thread does its share while others are late.
    Spin context = {format, (rounds + 15) / 16, &operations};
    heddle_team_run(team, run_spin, &context, threads * 16, 1);
    return operations;
}
