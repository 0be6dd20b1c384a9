// Chooses the instruction set, once, at the first use.

#include "kernel_table.h"

#include <stdlib.h>
#include <string.h>

namespace {

const KernelTable *chosen = nullptr;
heddle_isa chosen_isa = HEDDLE_ISA_SCALAR;

const KernelTable *table_of(heddle_isa isa) {
    switch (isa) {
    case HEDDLE_ISA_SCALAR: return &heddle_table_scalar;
#if defined(__x86_64__)
    case HEDDLE_ISA_AVX2: return &heddle_table_avx2;
    case HEDDLE_ISA_AVX512: return &heddle_table_avx512;
    case HEDDLE_ISA_AVX512_VNNI: return &heddle_table_avx512vnni;
    case HEDDLE_ISA_AVX512_BF16: return &heddle_table_avx512bf16;
#elif defined(__aarch64__)
    case HEDDLE_ISA_NEON: return &heddle_table_neon;
#endif
    default: return nullptr;
    }
}

void choose() {
    const heddle_isa widest_first[] = {HEDDLE_ISA_AVX512_BF16, HEDDLE_ISA_AVX512_VNNI, HEDDLE_ISA_AVX512,
                                      HEDDLE_ISA_AVX2,        HEDDLE_ISA_NEON,        HEDDLE_ISA_SCALAR};
    const char *wanted = getenv("HEDDLE_ISA");
    if (wanted)
        for (heddle_isa isa : widest_first)
            if (!strcmp(wanted, heddle_isa_name(isa)) && heddle_isa_force(isa)) return;
    for (heddle_isa isa : widest_first)
        if (heddle_isa_force(isa)) return;
}

}  // namespace

extern "C" bool heddle_isa_available(heddle_isa isa) {
    if (!table_of(isa)) return false;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (isa == HEDDLE_ISA_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    const bool has_avx512 =
        __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
            && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    if (isa == HEDDLE_ISA_AVX512) return has_avx512;
    const bool has_vnni = has_avx512 && __builtin_cpu_supports("avx512vnni");
    if (isa == HEDDLE_ISA_AVX512_VNNI) return has_vnni;
    if (isa == HEDDLE_ISA_AVX512_BF16) return has_vnni && __builtin_cpu_supports("avx512bf16");
#endif
    return true;
}

extern "C" bool heddle_isa_force(heddle_isa isa) {
    if (!heddle_isa_available(isa)) return false;
    __atomic_store_n(&chosen_isa, isa, __ATOMIC_RELAXED);
    __atomic_store_n(&chosen, table_of(isa), __ATOMIC_RELEASE);
    return true;
}

extern "C" heddle_isa heddle_isa_current(void) {
    heddle_kernels();
    return __atomic_load_n(&chosen_isa, __ATOMIC_RELAXED);
}

extern "C" const char *heddle_isa_name(heddle_isa isa) {
    switch (isa) {
    case HEDDLE_ISA_AVX2: return "avx2";
    case HEDDLE_ISA_AVX512: return "avx512";
    case HEDDLE_ISA_NEON: return "neon";
    case HEDDLE_ISA_AVX512_VNNI: return "avx512vnni";
    case HEDDLE_ISA_AVX512_BF16: return "avx512bf16";
    default: return "scalar";
    }
}

const KernelTable &heddle_kernels(void) {
    const KernelTable *table = __atomic_load_n(&chosen, __ATOMIC_ACQUIRE);
    if (!table) {
        choose();
        table = __atomic_load_n(&chosen, __ATOMIC_ACQUIRE);
    }
    return *table;
}
