//! One instruction of each form, as the assembler encodes it.

use super::*;

const GOOD: u64 = 0x7f12_3456_7840;
const BAD: u64 = 0x8000_0000_0000_0000;

/// Whether the instruction can fault with this in every register.
fn faults_with(bytes: &[u8], value: u64) -> bool {
    let mut bytes = bytes.iter().copied().chain(core::iter::repeat(0xcc));
    can_fault(|| bytes.next().unwrap_or(0xcc), |_| value)
}

const WITH_OPERANDS: &[(&[u8], &str)] = &[
    (&[0x48, 0x8b, 0x07], "mov rax, [rdi]"),
    (&[0x8b, 0x47, 0x40], "mov eax, [rdi + 64]"),
    (&[0x48, 0x89, 0x87, 0, 1, 0, 0], "mov [rdi + 256], rax"),
    (&[0x41, 0x0f, 0xb6, 0x04, 0x24], "movzx eax, byte ptr [r12]"),
    (&[0xc7, 0x07, 1, 0, 0, 0], "mov dword ptr [rdi], 1"),
    (&[0x48, 0x83, 0x7f, 0x08, 0x00], "cmp qword ptr [rdi + 8], 0"),
    (&[0xf0, 0x48, 0x0f, 0xb1, 0x17], "lock cmpxchg [rdi], rdx"),
    (&[0x0f, 0x11, 0x07], "movups [rdi], xmm0"),
    (&[0x0f, 0x28, 0x07], "movaps xmm0, [rdi]"),
    (&[0x66, 0x0f, 0x6f, 0x07], "movdqa xmm0, [rdi]"),
    (&[0xc5, 0xfc, 0x28, 0x07], "vmovaps ymm0, [rdi]"),
    (&[0xdd, 0x07], "fld qword ptr [rdi]"),
];

#[test]
fn a_non_canonical_operand_faults() {
    for &(bytes, text) in WITH_OPERANDS {
        assert!(faults_with(bytes, BAD), "{text}");
        assert!(faults_with(bytes, 0x0000_8000_0000_0000), "{text}, just outside");
    }
}

#[test]
fn a_canonical_one_does_not() {
    for &(bytes, text) in WITH_OPERANDS {
        // A prefix that this does not read is a doubt.
        if bytes.first() != Some(&0xf0) {
            assert!(!faults_with(bytes, GOOD & !0x7f), "{text}");
            assert!(!faults_with(bytes, 0xffff_ffff_8000_0000), "{text}, in the upper half");
        }
    }
}

#[test]
fn a_misaligned_vector_may_fault() {
    assert!(faults_with(&[0x0f, 0x28, 0x07], GOOD + 1));
    assert!(!faults_with(&[0x48, 0x8b, 0x07], GOOD + 1));
}

/// Whether the instruction can fault with these registers, and a non-canonical address in all others.
fn faults_at(bytes: &[u8], numbers: &[(u8, u64)]) -> bool {
    let mut bytes = bytes.iter().copied().chain(core::iter::repeat(0xcc));
    let register = |number| numbers.iter().find(|(known, _)| *known == number).map_or(BAD, |(_, value)| *value);
    can_fault(|| bytes.next().unwrap_or(0xcc), register)
}

#[test]
fn an_access_across_the_end_of_what_is_canonical_faults() {
    for address in [0x7fff_ffff_fff0, 0xffff_7fff_ffff_fff0] {
        assert!(faults_with(&[0x48, 0x8b, 0x07], address), "{address:#x}");
    }
}

#[test]
fn displacements_count() {
    // Just outside, and back by 96.
    let outside = 0x0000_8000_0000_0010;
    // mov rax, [rdi - 96], by one byte and by four; mov eax, [rcx - 96] without a base
    for (bytes, register) in [
        (&[0x48, 0x8b, 0x47, 0xa0][..], 7),
        (&[0x48, 0x8b, 0x87, 0xa0, 0xff, 0xff, 0xff], 7),
        (&[0x8b, 0x04, 0x0d, 0xa0, 0xff, 0xff, 0xff], 1),
    ] {
        assert!(!faults_at(bytes, &[(register, outside)]), "{bytes:x?}");
    }
}

#[test]
fn of_the_arithmetic_opcodes_some_have_operands_and_some_are_none() {
    assert!(faults_with(&[0x01, 0x07], BAD), "add [rdi], eax");
    assert!(!faults_with(&[0x04, 0x07], BAD), "add al, 7");
    assert!(faults_with(&[0x06, 0x07], GOOD), "no instruction, in 64 bits");
}

#[test]
fn indices_are_scaled_and_extended() {
    let at = faults_at;
    // mov rax, [r15 + r9]; mov rax, [rdi + rcx * 8], with a sum that is not canonical
    assert!(!at(&[0x4b, 0x8b, 0x04, 0x0f], &[(15, GOOD), (9, 8)]));
    assert!(at(&[0x48, 0x8b, 0x04, 0xcf], &[(7, 0x1000), (1, 1 << 44)]));
    // mov rax, [rdi + rcx * 8]; mov rax, [r15 + r9 * 2 + 16]; mov eax, [rcx * 4 + 0x1000]
    assert!(!at(&[0x48, 0x8b, 0x04, 0xcf], &[(7, GOOD), (1, 2)]));
    assert!(at(&[0x48, 0x8b, 0x04, 0xcf], &[(7, GOOD), (1, 1 << 60)]));
    assert!(!at(&[0x4b, 0x8b, 0x44, 0x4f, 0x10], &[(15, GOOD), (9, 1)]));
    assert!(!at(&[0x8b, 0x04, 0x8d, 0, 0x10, 0, 0], &[(1, 1)]));
}

#[test]
fn what_touches_no_memory_does_not_fault() {
    for (bytes, text) in [
        (&[0xff, 0xc8][..], "dec eax"),
        (&[0x75, 0xfc], "jne"),
        (&[0x48, 0xff, 0xc9], "dec rcx"),
        (&[0x0f, 0x85, 0, 0, 0, 0], "jne, far"),
        (&[0xeb, 0xfe], "jmp"),
        (&[0x48, 0x01, 0xd8], "add rax, rbx"),
        (&[0x90], "nop"),
        (&[0xf3, 0x90], "pause"),
        (&[0x48, 0x8b, 0x05, 0, 0, 0, 0], "mov rax, [rip]"),
        (&[0xb8, 0, 0, 0, 0x60], "mov eax, imm"),
        (&[0x0f, 0xaf, 0xc3], "imul eax, ebx"),
        (&[0xf2, 0x0f, 0x58, 0xc1], "addsd xmm0, xmm1"),
        (&[0x55], "push rbp"),
    ] {
        assert!(!faults_with(bytes, BAD), "{text}");
    }
}

#[test]
fn a_doubt_is_a_yes() {
    for (bytes, text) in [
        (&[0xf4][..], "hlt"),
        (&[0xfa], "cli"),
        (&[0xcd, 0x42], "int"),
        (&[0xc3], "ret"),
        (&[0xff, 0xd0], "call rax"),
        (&[0xff, 0x27], "jmp [rdi]"),
        (&[0x64, 0x8b, 0x07], "mov eax, fs:[rdi]"),
        (&[0x67, 0x8b, 0x07], "mov eax, [edi]"),
        (&[0xa4], "movsb"),
        (&[0x0f, 0x30], "wrmsr"),
        (&[0x0f, 0xae, 0x17], "ldmxcsr [rdi]"),
        (&[0x0f, 0x38, 0x00, 0x07], "pshufb mm0, [rdi]"),
        (&[0x62, 0xf1, 0x7c, 0x48, 0x28, 0x07], "vmovaps zmm0, [rdi]"),
        (&[0xc4, 0xe2, 0x7d, 0x8c, 0x07], "vpmaskmovd"),
    ] {
        assert!(faults_with(bytes, GOOD), "{text}");
    }
}
