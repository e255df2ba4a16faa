/* Names for the self-test's C functions, as rustc would have mangled them. */
#ifndef RUST_NAMES_H
#define RUST_NAMES_H

#define MANGLED(path) __asm__("_ZN" path "17h0123456789abcdefE")

/* wasmtrap::inside::signals::entry::handle: where every walk begins. */
#define ENTRY MANGLED("8wasmtrap6inside7signals5entry6handle")
/* Two functions of the handler's own folder. */
#define OWN_HELPER MANGLED("8wasmtrap6inside6helper")
#define OWN_OTHER MANGLED("8wasmtrap6inside5other")
/* A function of the folder for ordinary context. */
#define OUTSIDE MANGLED("8wasmtrap7outside8registry6insert")
#define PANIC MANGLED("4core9panicking5panic")
#define FORMAT MANGLED("4core3fmt5write")

#define EXPORTED __attribute__((visibility("default")))
#if defined(__clang__)
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE __attribute__((noipa))
#endif

#endif
