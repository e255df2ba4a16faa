#include "values.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Bits of floats ---- */

static uint32_t bits32(const uint8_t *bytes) {
  uint32_t bits;
  memcpy(&bits, bytes, sizeof bits);
  return bits;
}

static uint64_t bits64(const uint8_t *bytes) {
  uint64_t bits;
  memcpy(&bits, bytes, sizeof bits);
  return bits;
}

/* A NaN is canonical if its fraction is the highest bit alone, arithmetic if that bit is set; the sign is free. */
static int float32_is(const char *pattern, uint32_t bits) {
  if (strcmp(pattern, "canonical") == 0) return (bits & 0x7fffffffu) == 0x7fc00000u;
  if (strcmp(pattern, "arithmetic") == 0) return (bits & 0x7fc00000u) == 0x7fc00000u;
  return bits == strtoul(pattern, NULL, 16);
}

static int float64_is(const char *pattern, uint64_t bits) {
  if (strcmp(pattern, "canonical") == 0) return (bits & UINT64_C(0x7fffffffffffffff)) == UINT64_C(0x7ff8000000000000);
  if (strcmp(pattern, "arithmetic") == 0) return (bits & UINT64_C(0x7ff8000000000000)) == UINT64_C(0x7ff8000000000000);
  return bits == strtoull(pattern, NULL, 16);
}

/* ---- Arguments ---- */

static int parse_bytes(const char *digits, uint8_t bytes[16]) {
  if (strlen(digits) != 32) return 0;
  for (int i = 0; i < 16; i++) {
    char pair[3] = {digits[2 * i], digits[2 * i + 1], 0};
    char *end;
    bytes[i] = (uint8_t)strtoul(pair, &end, 16);
    if (*end != 0) return 0;
  }
  return 1;
}

static wasmtime_host_type_t hierarchy(const char *name) {
  static const struct {
    const char *name;
    wasmtime_host_type_t type;
  } ALL[] = {{"func", WASMTIME_HOST_FUNCREF},
             {"extern", WASMTIME_HOST_EXTERNREF},
             {"any", WASMTIME_HOST_ANYREF},
             {"exn", WASMTIME_HOST_EXNREF}};
  for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++)
    if (strcmp(name, ALL[i].name) == 0) return ALL[i].type;
  return 0;
}

int parse_argument(const char *word, wasmtime_host_value_t *value) {
  const char *colon = strchr(word, ':');
  if (colon == NULL) return 0;
  size_t length = (size_t)(colon - word);
  const char *text = colon + 1;
  memset(value, 0, sizeof *value);
  if (strncmp(word, "null", length) == 0) {
    value->type = hierarchy(text);
    return value->type != 0;
  }
  if (strncmp(word, "v128", length) == 0) {
    value->type = WASMTIME_HOST_V128;
    return strncmp(text, "i8x16:", 6) == 0 && parse_bytes(text + 6, value->of.v128);
  }
  uint64_t number = strtoull(text, NULL, 16);
  if (strncmp(word, "i32", length) == 0) {
    value->type = WASMTIME_HOST_I32;
    uint32_t bits = (uint32_t)number;
    memcpy(&value->of, &bits, sizeof bits);
  } else if (strncmp(word, "f32", length) == 0) {
    value->type = WASMTIME_HOST_F32;
    uint32_t bits = (uint32_t)number;
    memcpy(&value->of, &bits, sizeof bits);
  } else if (strncmp(word, "i64", length) == 0) {
    value->type = WASMTIME_HOST_I64;
    memcpy(&value->of, &number, sizeof number);
  } else if (strncmp(word, "f64", length) == 0) {
    value->type = WASMTIME_HOST_F64;
    memcpy(&value->of, &number, sizeof number);
  } else {
    value->type = hierarchy(word[0] == 'e' ? "extern" : "any");
    value->reference = WASMTIME_HOST_REF_HOST;
    value->of.number = number;
  }
  return 1;
}

/* ---- Expected results ---- */

/* Lanes apart by commas; changes `text`. */
static int vector_is(char *text, const wasmtime_host_value_t *value) {
  const uint8_t *bytes = value->of.v128;
  uint8_t expected[16];
  char *rest = NULL;
  if (strncmp(text, "i8x16:", 6) == 0)
    return parse_bytes(text + 6, expected) && memcmp(expected, bytes, sizeof expected) == 0;
  int wide = strncmp(text, "f64x2:", 6) == 0;
  int lanes = wide ? 2 : 4;
  char *lane = strtok_r(text + 6, ",", &rest);
  for (int i = 0; i < lanes; i++, lane = strtok_r(NULL, ",", &rest))
    if (lane == NULL || !(wide ? float64_is(lane, bits64(bytes + 8 * i)) : float32_is(lane, bits32(bytes + 4 * i))))
      return 0;
  return lane == NULL;
}

/* References: the type, or the class of what they refer to. */
static int reference_is(const char *class_name, const char *text, const wasmtime_host_value_t *value) {
  int any_number = strcmp(text, "*") == 0;
  if (strcmp(class_name, "null") == 0)
    return value->reference == WASMTIME_HOST_REF_NULL && value->type >= WASMTIME_HOST_FUNCREF &&
           (any_number || value->type == hierarchy(text));
  if (value->reference == WASMTIME_HOST_REF_NULL) return 0;
  if (strcmp(class_name, "func") == 0) return value->reference == WASMTIME_HOST_REF_FUNCTION;
  if (strcmp(class_name, "i31") == 0) return value->reference == WASMTIME_HOST_REF_I31;
  if (strcmp(class_name, "struct") == 0) return value->reference == WASMTIME_HOST_REF_STRUCT;
  if (strcmp(class_name, "array") == 0) return value->reference == WASMTIME_HOST_REF_ARRAY;
  if (strcmp(class_name, "eq") == 0)
    return value->reference >= WASMTIME_HOST_REF_I31 && value->reference <= WASMTIME_HOST_REF_ARRAY;
  if (value->type != hierarchy(class_name)) return 0;
  return any_number || (value->reference == WASMTIME_HOST_REF_HOST && value->of.number == strtoull(text, NULL, 16));
}

static int is_this(char *word, const wasmtime_host_value_t *value) {
  char *text = strchr(word, ':');
  if (text == NULL) return 0;
  *text++ = 0;
  const uint8_t *bytes = value->of.v128;
  if (strcmp(word, "i32") == 0) return value->type == WASMTIME_HOST_I32 && bits32(bytes) == strtoul(text, NULL, 16);
  if (strcmp(word, "i64") == 0) return value->type == WASMTIME_HOST_I64 && bits64(bytes) == strtoull(text, NULL, 16);
  if (strcmp(word, "f32") == 0) return value->type == WASMTIME_HOST_F32 && float32_is(text, bits32(bytes));
  if (strcmp(word, "f64") == 0) return value->type == WASMTIME_HOST_F64 && float64_is(text, bits64(bytes));
  if (strcmp(word, "v128") == 0) return value->type == WASMTIME_HOST_V128 && vector_is(text, value);
  return reference_is(word, text, value);
}

int is_expected(const char *word, const wasmtime_host_value_t *value) {
  char *alternatives = strdup(word), *rest = NULL;
  int good = 0;
  if (alternatives != NULL)
    for (char *one = strtok_r(alternatives, "|", &rest); one != NULL && !good; one = strtok_r(NULL, "|", &rest))
      good = is_this(one, value);
  free(alternatives);
  return good;
}

const char *value_in_words(const wasmtime_host_value_t *value) {
  static const char *const TYPES[] = {"nothing", "i32",     "i64",       "f32",    "f64",
                                      "v128",    "funcref", "externref", "anyref", "exnref"};
  static char text[128];
  const char *type = value->type < sizeof TYPES / sizeof *TYPES ? TYPES[value->type] : "?";
  if (value->type >= WASMTIME_HOST_FUNCREF)
    snprintf(text, sizeof text, "%s of class %" PRIu32 ", number %" PRIx64, type, value->reference, value->of.number);
  else if (value->type == WASMTIME_HOST_V128)
    snprintf(text, sizeof text, "v128 %016" PRIx64 " %016" PRIx64, bits64(value->of.v128), bits64(value->of.v128 + 8));
  else if (value->type == WASMTIME_HOST_I32 || value->type == WASMTIME_HOST_F32)
    snprintf(text, sizeof text, "%s:%" PRIx32, type, bits32(value->of.v128));
  else
    snprintf(text, sizeof text, "%s:%" PRIx64, type, bits64(value->of.v128));
  return text;
}
