#include "spectest.h"

#include <stdio.h>

w2c_spectest spectest = {.global_i32 = 666, .global_i64 = 666, .global_f32 = 666.6f, .global_f64 = 666.6};

void spectest_set_up(void) {
  if (spectest.memory.data != NULL) return;
  wasm_rt_wasmtrap_allocate_memory32(&spectest.memory, 1, 2);
  wasm_rt_allocate_funcref_table(&spectest.table, 10, 20);
}

/* What is printed is of no interest, but that the call comes with the right arguments can be seen so. */
#define PRINT(...) fprintf(stderr, __VA_ARGS__)

void w2c_spectest_print(w2c_spectest *instance) {
  (void)instance;
  PRINT("print\n");
}

void w2c_spectest_print_i32(w2c_spectest *instance, uint32_t a) {
  (void)instance;
  PRINT("print_i32 %u\n", (unsigned)a);
}

void w2c_spectest_print_i64(w2c_spectest *instance, uint64_t a) {
  (void)instance;
  PRINT("print_i64 %llu\n", (unsigned long long)a);
}

void w2c_spectest_print_f32(w2c_spectest *instance, float a) {
  (void)instance;
  PRINT("print_f32 %g\n", (double)a);
}

void w2c_spectest_print_f64(w2c_spectest *instance, double a) {
  (void)instance;
  PRINT("print_f64 %g\n", a);
}

void w2c_spectest_print_i32_f32(w2c_spectest *instance, uint32_t a, float b) {
  (void)instance;
  PRINT("print_i32_f32 %u %g\n", (unsigned)a, (double)b);
}

void w2c_spectest_print_f64_f64(w2c_spectest *instance, double a, double b) {
  (void)instance;
  PRINT("print_f64_f64 %g %g\n", a, b);
}

uint32_t *w2c_spectest_global_i32(w2c_spectest *instance) { return &instance->global_i32; }
uint64_t *w2c_spectest_global_i64(w2c_spectest *instance) { return &instance->global_i64; }
float *w2c_spectest_global_f32(w2c_spectest *instance) { return &instance->global_f32; }
double *w2c_spectest_global_f64(w2c_spectest *instance) { return &instance->global_f64; }
wasm_rt_memory_t *w2c_spectest_memory(w2c_spectest *instance) { return &instance->memory; }
wasm_rt_funcref_table_t *w2c_spectest_table(w2c_spectest *instance) { return &instance->table; }
