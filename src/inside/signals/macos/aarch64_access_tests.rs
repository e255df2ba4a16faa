//! One instruction of each form, as the assembler encodes it.

use super::*;

const PC: u64 = 0x1_0000_4000;

/// Register n holds n times 0x10000 and a bit, the stack pointer (31) likewise.
fn register(number: u32) -> u64 {
    0x7000_0000 + u64::from(number) * 0x1_0000
}

/// Where the instruction's access begins, relative to its base register.
const ACCESSES: &[(u32, u32, i64, &str)] = &[
    (0xf940_0020, 1, 0, "ldr x0, [x1]"),
    (0xf97f_fc20, 1, 32760, "ldr x0, [x1, #32760]"),
    (0xb900_13e2, 31, 16, "str w2, [sp, #16]"),
    (0x385f_f083, 4, -1, "ldurb w3, [x4, #-1]"),
    (0xf840_84c5, 6, 0, "ldr x5, [x6], #8"),
    (0xf840_8cc5, 6, 8, "ldr x5, [x6, #8]!"),
    (0xf81f_0cc5, 6, -16, "str x5, [x6, #-16]!"),
    (0xf869_6907, 8, 0x7009_0000, "ldr x7, [x8, x9]"),
    (0xb869_5907, 8, 0x7009_0000 << 2, "ldr w7, [x8, w9, uxtw #2]"),
    (0xf869_d907, 8, 0x7009_0000 << 3, "ldr x7, [x8, w9, sxtw #3]"),
    (0x3829_4907, 8, 0x7009_0000, "strb w7, [x8, w9, uxtw]"),
    (0x3dc0_0441, 2, 16, "ldr q1, [x2, #16]"),
    (0x3ca3_7841, 2, 0x7003_0000 << 4, "str q1, [x2, x3, lsl #4]"),
    (0xfc5f_8041, 2, -8, "ldur d1, [x2, #-8]"),
    (0xa9ff_7bfd, 31, -16, "ldp x29, x30, [sp, #-16]!"),
    (0xa95f_8440, 2, 504, "ldp x0, x1, [x2, #504]"),
    (0xad7f_0440, 2, -32, "ldp q0, q1, [x2, #-32]"),
    (0x2881_0440, 2, 0, "stp w0, w1, [x2], #8"),
    (0xc85f_7c20, 1, 0, "ldxr x0, [x1]"),
    (0x889f_fc20, 1, 0, "stlr w0, [x1]"),
    (0xc8df_fc20, 1, 0, "ldar x0, [x1]"),
    (0xc8e0_fc41, 2, 0, "casal x0, x1, [x2]"),
    (0xf8e0_0041, 2, 0, "ldaddal x0, x1, [x2]"),
    (0xf820_8041, 2, 0, "swp x0, x1, [x2]"),
    (0x4cdf_2020, 1, 0, "ld1 {v0.16b-v3.16b}, [x1], #64"),
    (0x4d40_c820, 1, 0, "ld1r {v0.4s}, [x1]"),
    (0x0d00_9020, 1, 0, "st1 {v0.s}[1], [x1]"),
    (0xf850_0020, 1, -256, "ldur x0, [x1, #-256]"),
];

#[test]
fn a_load_or_store_can_fault_where_it_begins_and_nowhere_else() {
    for &(instruction, base, offset, text) in ACCESSES {
        let first = register(base).wrapping_add_signed(offset);
        assert!(can_touch(instruction, first, PC, register), "{text}");
        assert!(can_touch(instruction, first | 0x5a << 56, PC, register), "{text}, with a tag");
        for other in [first - 1, first + LONGEST_ACCESS, first ^ 0x8000_0000, 0] {
            assert!(!can_touch(instruction, other, PC, register), "{text} at {other:#x}");
        }
    }
}

#[test]
fn the_last_byte_of_the_longest_access_counts() {
    let (instruction, base, ..) = (0x4cdf_2020, 1, "ld1 {v0.16b-v3.16b}, [x1], #64");
    assert!(can_touch(instruction, register(base) + 63, PC, register));
}

#[test]
fn literals_are_relative_to_the_program_counter() {
    for (instruction, offset) in [(0x5800_0200, 64), (0x9cff_fe00, -64)] {
        assert!(can_touch(instruction, PC.wrapping_add_signed(offset), PC, register));
        assert!(!can_touch(instruction, PC.wrapping_add_signed(-offset), PC, register));
    }
}

#[test]
fn an_index_of_32_bits_can_be_negative() {
    let negative = |number| if number == 9 { 0xffff_ffff_u64 } else { register(number) };
    let sxtw_3 = 0xf869_d907; // ldr x7, [x8, w9, sxtw #3]
    assert!(can_touch(sxtw_3, register(8) - 8, PC, negative));
    let uxtw_2 = 0xb869_5907; // ldr w7, [x8, w9, uxtw #2]
    assert!(can_touch(uxtw_2, register(8) + (0xffff_ffff << 2), PC, negative));
}

#[test]
fn an_index_of_register_31_is_zero() {
    let x7_x8_xzr = 0xf87f_6907; // ldr x7, [x8, xzr]
    assert!(can_touch(x7_x8_xzr, register(8), PC, register));
}

#[test]
fn a_cleared_block_counts_as_a_whole() {
    let zva = 0xd50b_7423; // dc zva, x3
    let inside = |_| 0x7000_0840;
    assert!(can_touch(zva, 0x7000_0800, PC, inside));
    assert!(can_touch(zva, 0x7000_0fff, PC, inside));
    assert!(!can_touch(zva, 0x7000_07ff, PC, inside));
}

#[test]
fn what_touches_no_memory_explains_no_fault() {
    for (instruction, text) in [
        (0x8b02_0020, "add x0, x1, x2"),
        (0x1400_0002, "b"),
        (0x1e62_2820, "fadd d0, d1, d2"),
        (0xd280_0020, "mov x0, #1"),
        (0xd503_201f, "nop"),
        (0xd65f_03c0, "ret"),
        (0xeb01_001f, "cmp x0, x1"),
        (0xd63f_0020, "blr x1"),
    ] {
        assert!(!can_touch(instruction, register(1), PC, register), "{text}");
    }
}

#[test]
fn a_doubt_is_a_yes() {
    for (instruction, text) in [
        (0xd940_8020, "ldapur x0, [x1, #8]"),
        (0x6941_0440, "ldpsw x0, x1, [x2, #8]"),
        (0xf820_0420, "ldraa x0, [x1]"),
        (0xa540_4000, "ld1w {z0.s}, p0/z, [x0]"),
        (0x1901_0440, "cpyfp [x0]!, [x1]!, x2!"),
    ] {
        assert!(can_touch(instruction, 0x1234, PC, register), "{text}");
    }
}
