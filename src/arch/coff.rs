//! COFF: the names and tables of the assembly.

/// The label in `wasmtrap_call` at which a trap resumes.
macro_rules! landing_label {
    () => {
        "wasmtrap_landing"
    };
}
pub(crate) use landing_label;

/// The label to which `wasmtrap_raise` goes.
macro_rules! raise_landing_label {
    () => {
        "wasmtrap_raise_landing"
    };
}
pub(crate) use raise_landing_label;

/// Defines a label that other functions see. A DLL exports what its list of exports names, and nothing else.
macro_rules! define_label {
    ($label:expr) => {
        concat!(".globl ", $label, "\n", $label, ":")
    };
}
pub(crate) use define_label;

/// The address of a symbol in a register.
#[cfg(target_arch = "x86_64")]
macro_rules! address_of {
    ($register:literal, $symbol:expr) => {
        concat!("lea ", $register, ", [rip + ", $symbol, "]")
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! address_of {
    ($register:literal, $symbol:expr) => {
        concat!("adrp ", $register, ", ", $symbol, "\nadd ", $register, ", ", $register, ", :lo12:", $symbol)
    };
}
pub(crate) use address_of;

/// Where a trap resumes.
pub(crate) fn landing() -> usize {
    let address: usize;
    // SAFETY: takes the address of a label in the same object.
    unsafe {
        core::arch::asm!(
            address_of!("{0}", landing_label!()),
            out(reg) address,
            options(nostack, nomem, preserves_flags, pure)
        );
    }
    address
}

/// The symbol that the prebuilt `core` names and nothing calls: see `outside::runtime`.
#[cfg(all(feature = "c-library", panic = "abort", not(test)))]
macro_rules! define_personality_of_core {
    () => {
        core::arch::global_asm!(
            r#"
            .pushsection .text
            .weak rust_eh_personality
        rust_eh_personality:
            .long 0
            .popsection
            "#
        );
    };
}
#[cfg(all(feature = "c-library", panic = "abort", not(test)))]
pub(crate) use define_personality_of_core;
