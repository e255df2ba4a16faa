#include "spectest.h"

#include <stdio.h>

Z_spectest_instance_t spectest = {.global_i32 = 666, .global_i64 = 666, .global_f32 = 666.6f, .global_f64 = 666.6};

void spectest_set_up(void) {
  if (spectest.memory.data != NULL) return;
  wasm_rt_allocate_memory(&spectest.memory, 1, 2);
  wasm_rt_allocate_funcref_table(&spectest.table, 10, 20);
}

/* What is printed is of no interest, but that the call comes with the right arguments can be seen so. */
#define PRINT(...) fprintf(stderr, __VA_ARGS__)

void Z_spectestZ_print(Z_spectest_instance_t *instance) {
  (void)instance;
  PRINT("print\n");
}

void Z_spectestZ_print_i32(Z_spectest_instance_t *instance, uint32_t a) {
  (void)instance;
  PRINT("print_i32 %u\n", (unsigned)a);
}

void Z_spectestZ_print_i64(Z_spectest_instance_t *instance, uint64_t a) {
  (void)instance;
  PRINT("print_i64 %llu\n", (unsigned long long)a);
}

void Z_spectestZ_print_f32(Z_spectest_instance_t *instance, float a) {
  (void)instance;
  PRINT("print_f32 %g\n", (double)a);
}

void Z_spectestZ_print_f64(Z_spectest_instance_t *instance, double a) {
  (void)instance;
  PRINT("print_f64 %g\n", a);
}

void Z_spectestZ_print_i32_f32(Z_spectest_instance_t *instance, uint32_t a, float b) {
  (void)instance;
  PRINT("print_i32_f32 %u %g\n", (unsigned)a, (double)b);
}

void Z_spectestZ_print_f64_f64(Z_spectest_instance_t *instance, double a, double b) {
  (void)instance;
  PRINT("print_f64_f64 %g %g\n", a, b);
}

uint32_t *Z_spectestZ_global_i32(Z_spectest_instance_t *instance) { return &instance->global_i32; }
uint64_t *Z_spectestZ_global_i64(Z_spectest_instance_t *instance) { return &instance->global_i64; }
float *Z_spectestZ_global_f32(Z_spectest_instance_t *instance) { return &instance->global_f32; }
double *Z_spectestZ_global_f64(Z_spectest_instance_t *instance) { return &instance->global_f64; }
wasm_rt_memory_t *Z_spectestZ_memory(Z_spectest_instance_t *instance) { return &instance->memory; }
wasm_rt_funcref_table_t *Z_spectestZ_table(Z_spectest_instance_t *instance) { return &instance->table; }
