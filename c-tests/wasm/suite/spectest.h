/*
 * The module "spectest" that the test suite imports from, as its interpreter defines it.
 */
#ifndef SPECTEST_H
#define SPECTEST_H

#include "wasm_rt_wasmtrap.h"

/* The names of an older wasm2c. */
#if WASM_RT_WASMTRAP_WHOLE_RUNTIME
#define w2c_spectest Z_spectest_instance_t
#define w2c_spectest_print Z_spectestZ_print
#define w2c_spectest_print_i32 Z_spectestZ_print_i32
#define w2c_spectest_print_i64 Z_spectestZ_print_i64
#define w2c_spectest_print_f32 Z_spectestZ_print_f32
#define w2c_spectest_print_f64 Z_spectestZ_print_f64
#define w2c_spectest_print_i32_f32 Z_spectestZ_print_i32_f32
#define w2c_spectest_print_f64_f64 Z_spectestZ_print_f64_f64
#define w2c_spectest_global_i32 Z_spectestZ_global_i32
#define w2c_spectest_global_i64 Z_spectestZ_global_i64
#define w2c_spectest_global_f32 Z_spectestZ_global_f32
#define w2c_spectest_global_f64 Z_spectestZ_global_f64
#define w2c_spectest_memory Z_spectestZ_memory
#define w2c_spectest_table Z_spectestZ_table
#endif

typedef struct w2c_spectest {
  uint32_t global_i32;
  uint64_t global_i64;
  float global_f32;
  double global_f64;
  wasm_rt_memory_t memory;
  wasm_rt_funcref_table_t table;
} w2c_spectest;

extern w2c_spectest spectest;

/* Gives the instance its memory and its table, when it is called first. */
void spectest_set_up(void);

void w2c_spectest_print(w2c_spectest *instance);
void w2c_spectest_print_i32(w2c_spectest *instance, uint32_t a);
void w2c_spectest_print_i64(w2c_spectest *instance, uint64_t a);
void w2c_spectest_print_f32(w2c_spectest *instance, float a);
void w2c_spectest_print_f64(w2c_spectest *instance, double a);
void w2c_spectest_print_i32_f32(w2c_spectest *instance, uint32_t a, float b);
void w2c_spectest_print_f64_f64(w2c_spectest *instance, double a, double b);
uint32_t *w2c_spectest_global_i32(w2c_spectest *instance);
uint64_t *w2c_spectest_global_i64(w2c_spectest *instance);
float *w2c_spectest_global_f32(w2c_spectest *instance);
double *w2c_spectest_global_f64(w2c_spectest *instance);
wasm_rt_memory_t *w2c_spectest_memory(w2c_spectest *instance);
wasm_rt_funcref_table_t *w2c_spectest_table(w2c_spectest *instance);

#endif
