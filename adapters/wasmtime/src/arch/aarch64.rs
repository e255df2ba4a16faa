//! arm64, AAPCS64.

use wasmtrap::abi::wasmtrap_registers_t;

/// Where the trampoline expects the handler's arguments: x19 to x22.
pub(super) const ARGUMENTS: [usize; 4] = [19, 20, 21, 22];
/// Where it expects the handler: x23.
pub(super) const HANDLER: usize = 23;
/// sp.
pub(super) const STACK_POINTER: usize = 31;

/// Room for q0 to q31.
pub(super) const STATE_SIZE: usize = 32 * 16;
/// What the stack pointer must have.
pub(super) const STATE_ALIGNMENT: usize = 16;

/// Every processor is alike in what there is to keep.
pub(crate) fn prepare() {}

/// One more register, and its value: none.
pub(super) fn mode() -> Option<(usize, usize)> {
    None
}

/// Nothing else makes the way there shorter.
pub(super) fn ready(_registers: &mut wasmtrap_registers_t) {}

/// The trampoline. Unwinders stop at it: what is further out has not called anything. The condition flags are among the
/// general registers (pstate).
#[unsafe(naked)]
pub(super) unsafe extern "C" fn trampoline() {
    core::arch::naked_asm!(
        "20:",
        ".cfi_startproc",
        ".cfi_undefined x30",
        "hint #36", // bti j
        "mov x9, sp",
        "st1 {{v0.2d, v1.2d, v2.2d, v3.2d}}, [x9], #64",
        "st1 {{v4.2d, v5.2d, v6.2d, v7.2d}}, [x9], #64",
        "st1 {{v8.2d, v9.2d, v10.2d, v11.2d}}, [x9], #64",
        "st1 {{v12.2d, v13.2d, v14.2d, v15.2d}}, [x9], #64",
        "st1 {{v16.2d, v17.2d, v18.2d, v19.2d}}, [x9], #64",
        "st1 {{v20.2d, v21.2d, v22.2d, v23.2d}}, [x9], #64",
        "st1 {{v24.2d, v25.2d, v26.2d, v27.2d}}, [x9], #64",
        "st1 {{v28.2d, v29.2d, v30.2d, v31.2d}}, [x9], #64",
        "mrs x24, fpcr",
        "mrs x25, fpsr",
        "mov x0, x19",
        "mov x1, x20",
        "mov x2, x21",
        "mov x3, x22",
        "blr x23",
        "msr fpcr, x24",
        "msr fpsr, x25",
        "mov x9, sp",
        "ld1 {{v0.2d, v1.2d, v2.2d, v3.2d}}, [x9], #64",
        "ld1 {{v4.2d, v5.2d, v6.2d, v7.2d}}, [x9], #64",
        "ld1 {{v8.2d, v9.2d, v10.2d, v11.2d}}, [x9], #64",
        "ld1 {{v12.2d, v13.2d, v14.2d, v15.2d}}, [x9], #64",
        "ld1 {{v16.2d, v17.2d, v18.2d, v19.2d}}, [x9], #64",
        "ld1 {{v20.2d, v21.2d, v22.2d, v23.2d}}, [x9], #64",
        "ld1 {{v24.2d, v25.2d, v26.2d, v27.2d}}, [x9], #64",
        "ld1 {{v28.2d, v29.2d, v30.2d, v31.2d}}, [x9], #64",
        "udf #0",
        ".cfi_endproc",
        ".org 20b + {size}",
        size = const super::TRAMPOLINE_SIZE,
    )
}

/// This thread's storage (`threads::elf`).
#[cfg(target_os = "linux")]
pub(crate) fn thread_storage() -> *const crate::threads::Thread {
    let thread;
    // SAFETY: the thread's base address plus the variable's offset, which the dynamic linker has put there.
    unsafe {
        core::arch::asm!(
            "adrp {0}, :gottprel:wasmtrap_wasmtime_thread",
            "ldr {0}, [{0}, :gottprel_lo12:wasmtrap_wasmtime_thread]",
            "mrs {1}, tpidr_el0",
            "add {0}, {0}, {1}",
            out(reg) thread,
            out(reg) _,
            options(nostack, readonly, pure, preserves_flags)
        );
    }
    thread
}

/// Calls `callback(payload, callee)` in a frame that has all that a function preserves, and tells by `jump` where that
/// frame is. `bool` comes back in w0.
#[cfg(feature = "wasmtime-36")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn call_with_a_way_back(
    jump: *mut *const u8,
    callback: extern "C" fn(*mut u8, *mut u8) -> bool,
    payload: *mut u8,
    callee: *mut u8,
) -> bool {
    core::arch::naked_asm!(
        ".cfi_startproc",
        "hint #34", // bti c
        "stp x29, x30, [sp, #-176]!",
        ".cfi_def_cfa_offset 176",
        ".cfi_offset x29, -176",
        ".cfi_offset x30, -168",
        "mov x29, sp",
        "stp x19, x20, [sp, #16]",
        "stp x21, x22, [sp, #32]",
        "stp x23, x24, [sp, #48]",
        "stp x25, x26, [sp, #64]",
        "stp x27, x28, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "mrs x9, fpcr",
        "str x9, [sp, #160]",
        "str x29, [x0]",
        "mov x9, x1",
        "mov x0, x2",
        "mov x1, x3",
        "blr x9",
        "ldp x29, x30, [sp], #176",
        ".cfi_def_cfa_offset 0",
        ".cfi_restore x29",
        ".cfi_restore x30",
        "ret",
        ".cfi_endproc",
    )
}

/// Returns false from the call of `call_with_a_way_back` whose frame this is.
#[cfg(feature = "wasmtime-36")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn go_back(frame: *const u8) -> ! {
    core::arch::naked_asm!(
        "hint #34", // bti c
        "mov sp, x0",
        "ldr x9, [sp, #160]",
        "msr fpcr, x9",
        "ldp x19, x20, [sp, #16]",
        "ldp x21, x22, [sp, #32]",
        "ldp x23, x24, [sp, #48]",
        "ldp x25, x26, [sp, #64]",
        "ldp x27, x28, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "ldp x29, x30, [sp], #176",
        "mov w0, #0",
        "ret",
    )
}
