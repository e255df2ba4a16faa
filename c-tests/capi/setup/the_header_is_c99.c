/* wasmtrap.h compiles as C99 on its own and first, with all warnings; its constants are usable where C wants constants,
 * and its structures begin as they must. */
#include "wasmtrap.h"
/* Twice, as happens. */
#include "wasmtrap.h"

#include <stdio.h>

#include "tap.h"

static const char *constant_in_a_switch(wasmtrap_status_t status) {
  switch (status) {
    case WASMTRAP_OK: return "ok";
    case WASMTRAP_TRAPPED: return "trapped";
    case WASMTRAP_ERR_INVALID_ARGUMENT: return "invalid";
    case WASMTRAP_ERR_NOT_FOUND: return "not found";
    default: return "other";
  }
}

/* An array whose size is negative does not compile. */
#define STATIC_ASSERT(name, condition) typedef char static_assert_##name[(condition) ? 1 : -1]
STATIC_ASSERT(ok_is_zero, WASMTRAP_OK == 0);
STATIC_ASSERT(trapped_is_positive, WASMTRAP_TRAPPED > 0);
STATIC_ASSERT(errors_are_negative, WASMTRAP_ERR_INVALID_ARGUMENT < 0 && WASMTRAP_ERR_NOT_FOUND < 0);
STATIC_ASSERT(negative_constants_are_in_parentheses, 0 -WASMTRAP_ERR_INVALID_ARGUMENT == 1);
STATIC_ASSERT(own_codes, WASMTRAP_CODE_USER == 0x1000);
STATIC_ASSERT(code_is_32_bits, sizeof(wasmtrap_code_t) == 4);
STATIC_ASSERT(status_is_32_bits, sizeof(wasmtrap_status_t) == 4);
STATIC_ASSERT(options_begin_with_their_size, offsetof(wasmtrap_options_t, struct_size) == 0);
STATIC_ASSERT(code_begins_with_its_size, offsetof(wasmtrap_code_desc_t, struct_size) == 0);
STATIC_ASSERT(info_begins_with_its_size, offsetof(wasmtrap_code_info_t, struct_size) == 0);
STATIC_ASSERT(region_begins_with_its_size, offsetof(wasmtrap_region_desc_t, struct_size) == 0);
STATIC_ASSERT(trap_begins_with_its_size, offsetof(wasmtrap_trap_t, struct_size) == 0);
STATIC_ASSERT(stack_begins_with_its_size, offsetof(wasmtrap_stack_t, struct_size) == 0);
STATIC_ASSERT(fault_begins_with_its_size, offsetof(wasmtrap_fault_t, struct_size) == 0);
STATIC_ASSERT(kinds_are_bits, (WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL | WASMTRAP_FAULT_ARITHMETIC |
                               WASMTRAP_FAULT_BREAKPOINT) == 15);
STATIC_ASSERT(trap_flags_are_bits,
              (WASMTRAP_HAS_CODE ^ WASMTRAP_HAS_SITE ^ WASMTRAP_HAS_FAULT_ADDRESS ^ WASMTRAP_HAS_REGION ^
               WASMTRAP_HAS_REGISTERS ^ WASMTRAP_FRAMES_TRUNCATED ^ WASMTRAP_HAS_STACK_GUARD) ==
                  (WASMTRAP_HAS_CODE | WASMTRAP_HAS_SITE | WASMTRAP_HAS_FAULT_ADDRESS | WASMTRAP_HAS_REGION |
                   WASMTRAP_HAS_REGISTERS | WASMTRAP_FRAMES_TRUNCATED | WASMTRAP_HAS_STACK_GUARD));

int main(void) {
  same_text(constant_in_a_switch(WASMTRAP_ERR_NOT_FOUND), "not found", "constants in a switch");
  char version[64] = "";
  snprintf(version, sizeof version, "%d.%d.%d", WASMTRAP_VERSION_MAJOR, WASMTRAP_VERSION_MINOR,
           WASMTRAP_VERSION_PATCH);
  same_text(wasmtrap_version(), version, "the library is of the header's version");
  return tap_done();
}
