/* After wasmtrap_call, returned, trapped or raised, what belongs to the caller in Microsoft's ABI is what it was: rbx,
 * rbp, rdi, rsi, r12 to r15, xmm6 to xmm15, MXCSR, the x87 control word; and the stack's bounds in the thread's block.
 */
#include <string.h>

#include "host.h"

enum { GENERAL = 8, VECTORS = 10 };

typedef struct state_t {
  uint64_t general[GENERAL];
  uint64_t vectors[VECTORS][2];
  uint32_t mxcsr;
  uint16_t x87;
} state_t;

/* wasmtrap_call(function, argument, trap) with `before` in these registers; `after` is what they are afterwards. */
wasmtrap_status_t call_with_state(wasmtrap_function_t function, void *argument, wasmtrap_trap_t *trap,
                                  const state_t *before, state_t *after);
__asm__(
    ".text\n"
    ".globl call_with_state\n"
    "call_with_state:\n"
    "  push %rbx\n  push %rbp\n  push %rdi\n  push %rsi\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
    "  sub $216, %rsp\n" /* 32 for the callee, 160 for xmm6 to xmm15, `after`, control words, alignment */
    "  movups %xmm6, 32(%rsp)\n  movups %xmm7, 48(%rsp)\n  movups %xmm8, 64(%rsp)\n  movups %xmm9, 80(%rsp)\n"
    "  movups %xmm10, 96(%rsp)\n  movups %xmm11, 112(%rsp)\n  movups %xmm12, 128(%rsp)\n  movups %xmm13, 144(%rsp)\n"
    "  movups %xmm14, 160(%rsp)\n  movups %xmm15, 176(%rsp)\n"
    "  mov 320(%rsp), %rax\n" /* the fifth argument: 216 + 64 + 8 + 32 */
    "  mov %rax, 192(%rsp)\n"
    "  stmxcsr 200(%rsp)\n  fnstcw 204(%rsp)\n"
    "  mov %r9, %rax\n"
    "  mov 0(%rax), %rbx\n  mov 8(%rax), %rbp\n  mov 16(%rax), %rdi\n  mov 24(%rax), %rsi\n"
    "  mov 32(%rax), %r12\n  mov 40(%rax), %r13\n  mov 48(%rax), %r14\n  mov 56(%rax), %r15\n"
    "  movups 64(%rax), %xmm6\n  movups 80(%rax), %xmm7\n  movups 96(%rax), %xmm8\n  movups 112(%rax), %xmm9\n"
    "  movups 128(%rax), %xmm10\n  movups 144(%rax), %xmm11\n  movups 160(%rax), %xmm12\n"
    "  movups 176(%rax), %xmm13\n  movups 192(%rax), %xmm14\n  movups 208(%rax), %xmm15\n"
    "  ldmxcsr 224(%rax)\n  fldcw 228(%rax)\n"
    "  call wasmtrap_call\n"
    "  mov 192(%rsp), %rdx\n"
    "  mov %rbx, 0(%rdx)\n  mov %rbp, 8(%rdx)\n  mov %rdi, 16(%rdx)\n  mov %rsi, 24(%rdx)\n"
    "  mov %r12, 32(%rdx)\n  mov %r13, 40(%rdx)\n  mov %r14, 48(%rdx)\n  mov %r15, 56(%rdx)\n"
    "  movups %xmm6, 64(%rdx)\n  movups %xmm7, 80(%rdx)\n  movups %xmm8, 96(%rdx)\n  movups %xmm9, 112(%rdx)\n"
    "  movups %xmm10, 128(%rdx)\n  movups %xmm11, 144(%rdx)\n  movups %xmm12, 160(%rdx)\n"
    "  movups %xmm13, 176(%rdx)\n  movups %xmm14, 192(%rdx)\n  movups %xmm15, 208(%rdx)\n"
    "  stmxcsr 224(%rdx)\n  fnstcw 228(%rdx)\n"
    "  ldmxcsr 200(%rsp)\n  fldcw 204(%rsp)\n"
    "  movups 32(%rsp), %xmm6\n  movups 48(%rsp), %xmm7\n  movups 64(%rsp), %xmm8\n  movups 80(%rsp), %xmm9\n"
    "  movups 96(%rsp), %xmm10\n  movups 112(%rsp), %xmm11\n  movups 128(%rsp), %xmm12\n  movups 144(%rsp), %xmm13\n"
    "  movups 160(%rsp), %xmm14\n  movups 176(%rsp), %xmm15\n"
    "  add $216, %rsp\n"
    "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rsi\n  pop %rdi\n  pop %rbp\n  pop %rbx\n"
    "  ret\n");

/* Changes all of it, and loads from 8: compiled code as no compiler would make it. */
void clobber_and_load(void *unused);
extern const unsigned char clobber_and_load_end[];
void clobber_and_raise(void *unused);
__asm__(
    ".text\n"
    ".macro clobber\n"
    "  mov $-1, %rbx\n  mov $-1, %rbp\n  mov $-1, %rdi\n  mov $-1, %rsi\n"
    "  mov $-1, %r12\n  mov $-1, %r13\n  mov $-1, %r14\n  mov $-1, %r15\n"
    "  pcmpeqd %xmm6, %xmm6\n  pcmpeqd %xmm7, %xmm7\n  pcmpeqd %xmm8, %xmm8\n  pcmpeqd %xmm9, %xmm9\n"
    "  pcmpeqd %xmm10, %xmm10\n  pcmpeqd %xmm11, %xmm11\n  pcmpeqd %xmm12, %xmm12\n  pcmpeqd %xmm13, %xmm13\n"
    "  pcmpeqd %xmm14, %xmm14\n  pcmpeqd %xmm15, %xmm15\n"
    "  sub $40, %rsp\n  movl $0x7f80, (%rsp)\n  ldmxcsr (%rsp)\n  movw $0x0f7f, (%rsp)\n  fldcw (%rsp)\n"
    "  movq $0x1000000, %gs:8\n  movq $0x1000000, %gs:0x1478\n"
    ".endm\n"
    ".globl clobber_and_load\n"
    "clobber_and_load:\n"
    "  clobber\n"
    "  mov 8, %rax\n"
    "  ud2\n"
    ".globl clobber_and_load_end\n"
    "clobber_and_load_end:\n"
    ".globl clobber_and_raise\n"
    "clobber_and_raise:\n"
    "  clobber\n"
    "  mov $77, %ecx\n"
    "  xor %edx, %edx\n"
    "  call wasmtrap_raise\n"
    "  ud2\n");

static void returns(void *unused) { (void)unused; }

static uint64_t stack_base(void) {
  uint64_t base;
  __asm__("movq %%gs:8, %0" : "=r"(base));
  return base;
}

static uint64_t stack_limit(void) {
  uint64_t limit;
  __asm__("movq %%gs:16, %0" : "=r"(limit));
  return limit;
}

static uint64_t stack_bottom(void) {
  uint64_t bottom;
  __asm__("movq %%gs:0x1478, %0" : "=r"(bottom));
  return bottom;
}

static void check(wasmtrap_function_t function, wasmtrap_status_t expected, const char *how) {
  state_t before, after;
  memset(&before, 0, sizeof before);
  memset(&after, 0, sizeof after);
  for (unsigned i = 0; i < GENERAL; i++) before.general[i] = UINT64_C(0x5566778800000000) + i;
  for (unsigned i = 0; i < VECTORS; i++) before.vectors[i][0] = before.vectors[i][1] = UINT64_C(0x99aabbcc00000000) + i;
  before.mxcsr = 0x3f80;
  before.x87 = 0x0a7f;
  wasmtrap_trap_t trap = host_new_trap();
  const uint64_t base = stack_base(), limit = stack_limit(), bottom = stack_bottom();
  same(call_with_state(function, NULL, &trap, &before, &after), expected, "%s: status", how);
  static const char *const names[GENERAL] = {"rbx", "rbp", "rdi", "rsi", "r12", "r13", "r14", "r15"};
  for (unsigned i = 0; i < GENERAL; i++) same(after.general[i], before.general[i], "%s: %s", how, names[i]);
  for (unsigned i = 0; i < VECTORS; i++) {
    ok(memcmp(after.vectors[i], before.vectors[i], sizeof after.vectors[i]) == 0, "%s: xmm%u", how, 6 + i);
  }
  same(after.mxcsr & 0xffc0, before.mxcsr, "%s: MXCSR", how);
  same(after.x87, before.x87, "%s: x87 control word", how);
  same(stack_base(), base, "%s: the stack's end", how);
  same(stack_bottom(), bottom, "%s: the stack's beginning", how);
  ok(stack_limit() <= limit && stack_limit() > bottom, "%s: as far as it has grown", how);
}

int main(void) {
  host_init();
  const wasm_code_t code = {clobber_and_load, NULL, 0, 0};
  const unsigned char *start;
  memcpy(&start, &code.function, sizeof start);
  const wasm_code_t whole = {clobber_and_load, start, (size_t)(clobber_and_load_end - start), 0};
  host_register_code(&whole);
  check(returns, WASMTRAP_OK, "returned");
  check(clobber_and_load, WASMTRAP_TRAPPED, "trapped");
  check(clobber_and_raise, WASMTRAP_TRAPPED, "raised");
  return tap_done();
}
