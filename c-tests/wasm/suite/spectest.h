/*
 * The module "spectest" that the test suite imports from, as its interpreter defines it.
 */
#ifndef SPECTEST_H
#define SPECTEST_H

#include "wasm-rt.h"

typedef struct Z_spectest_instance_t {
  uint32_t global_i32;
  uint64_t global_i64;
  float global_f32;
  double global_f64;
  wasm_rt_memory_t memory;
  wasm_rt_funcref_table_t table;
} Z_spectest_instance_t;

extern Z_spectest_instance_t spectest;

/* Gives the instance its memory and its table, when it is called first. */
void spectest_set_up(void);

void Z_spectestZ_print(Z_spectest_instance_t *instance);
void Z_spectestZ_print_i32(Z_spectest_instance_t *instance, uint32_t a);
void Z_spectestZ_print_i64(Z_spectest_instance_t *instance, uint64_t a);
void Z_spectestZ_print_f32(Z_spectest_instance_t *instance, float a);
void Z_spectestZ_print_f64(Z_spectest_instance_t *instance, double a);
void Z_spectestZ_print_i32_f32(Z_spectest_instance_t *instance, uint32_t a, float b);
void Z_spectestZ_print_f64_f64(Z_spectest_instance_t *instance, double a, double b);
uint32_t *Z_spectestZ_global_i32(Z_spectest_instance_t *instance);
uint64_t *Z_spectestZ_global_i64(Z_spectest_instance_t *instance);
float *Z_spectestZ_global_f32(Z_spectest_instance_t *instance);
double *Z_spectestZ_global_f64(Z_spectest_instance_t *instance);
wasm_rt_memory_t *Z_spectestZ_memory(Z_spectest_instance_t *instance);
wasm_rt_funcref_table_t *Z_spectestZ_table(Z_spectest_instance_t *instance);

#endif
