//! The decision against its rules, said once more.
//!
//! The rules are those at the top of wasmtrap.h, each a condition of its own here, looked at in no order. What the
//! decision may ask, and when, is checked on the way: nothing about the thread before the program counter is known to
//! be in registered code, and nothing about marks but for a fault in a region that may trap from any program counter.
#![no_main]

mod input;

use std::cell::Cell;

use input::Input;
use libfuzzer_sys::fuzz_target;
use wasmtrap::abi::*;
use wasmtrap::fuzzing::*;

const KINDS: [Kind; 9] = [
    Kind::Memory,
    Kind::Misaligned,
    Kind::Illegal,
    Kind::IntegerDivision,
    Kind::OtherArithmetic,
    Kind::LostMemory,
    Kind::Breakpoint,
    Kind::Fatal,
    Kind::IntegerOverflow,
];

/// Ranges and probes are within a few hundred addresses, around the lowest, a middling, and the highest.
fn address(input: &mut Input) -> usize {
    let around = input.pick(&[128, 0x7000_0000, usize::MAX - 127]);
    around - 128 + input.below(256)
}

/// Most sites mean nothing by themselves, some have a code of the specification, some one of the embedder's.
fn trap_code(input: &mut Input) -> wasmtrap_code_t {
    match input.byte() {
        byte @ 128.. => WASMTRAP_CODE_USER + u32::from(byte),
        byte @ 64.. => u32::from(byte) - 64,
        _ => WASMTRAP_CODE_NONE,
    }
}

/// A world with at most one range of each kind: what the tables do with more is the other fuzzer's affair.
struct Plain {
    kinds: u32,
    has_handler: bool,
    code: Option<(usize, usize, CodeHit)>,
    stack: Option<RunningStack>,
    region: Option<(usize, usize, RegionHit)>,
    /// The host has marked the protected call: it may be dropped from any program counter.
    droppable: bool,
    asked: Asked,
}

#[derive(Default)]
struct Asked {
    anything: Cell<bool>,
    code: Cell<bool>,
    thread: Cell<bool>,
    region: Cell<bool>,
    mark: Cell<bool>,
}

impl Plain {
    fn new(input: &mut Input) -> Self {
        Self {
            kinds: u32::from(input.byte()) & 15,
            has_handler: input.one_in(4),
            code: (!input.one_in(8)).then(|| {
                let site = match input.below(4) {
                    0 => Site::NotListed,
                    1 => Site::NoTable,
                    _ => Site::Code(trap_code(input)),
                };
                let (start, length) = (address(input), input.below(256));
                let hit = CodeHit {
                    id: input.bits(),
                    user: input.bits() as usize,
                    client: 0,
                    kinds: if input.one_in(4) { input.bits() as u32 } else { !0 },
                    offset: 0,
                    strict: input.flag(),
                    site,
                };
                (start, length, hit)
            }),
            stack: (!input.one_in(8)).then(|| {
                let low = address(input);
                let high = low.saturating_add(input.below(256));
                let (guard, margin) = (input.below(256).min(low), input.below(256).min(low));
                // Near to all that is asked about, or to nothing.
                let sp = if input.flag() { low } else { low ^ 1 << (usize::BITS - 2) };
                RunningStack { bounds: StackBounds { low, high, guard, margin, grows: input.flag() }, sp }
            }),
            region: (!input.one_in(3)).then(|| {
                let (start, length) = (address(input), input.below(256));
                let hit = RegionHit {
                    id: input.bits(),
                    user: input.bits() as usize,
                    client: 0,
                    offset: 0,
                    code: trap_code(input),
                    accessible: input.one_in(4),
                    accessible_code: trap_code(input),
                    any_pc: input.flag(),
                };
                (start, length, hit)
            }),
            droppable: input.flag(),
            asked: Asked::default(),
        }
    }
}

/// How far `address` is into the `length` addresses from `start`.
fn offset_in(address: usize, start: usize, length: usize) -> Option<usize> {
    address.checked_sub(start).filter(|&offset| offset < length)
}

impl World for Plain {
    fn kinds(&self) -> u32 {
        self.kinds
    }

    fn has_fault_handlers(&self) -> bool {
        self.asked.anything.set(true);
        self.has_handler
    }

    fn is_to_be_asked(&self, _kind: Kind, _findings: &Findings) -> bool {
        self.has_handler
    }

    fn code(&self, pc: usize) -> Option<CodeHit> {
        self.asked.anything.set(true);
        self.asked.code.set(true);
        let (start, length, hit) = self.code?;
        offset_in(pc, start, length).map(|offset| CodeHit { offset, ..hit })
    }

    fn protected_stack(&self) -> Option<RunningStack> {
        self.asked.thread.set(true);
        self.stack
    }

    fn region(&self, address: usize) -> Option<RegionHit> {
        self.asked.region.set(true);
        let (start, length, hit) = self.region?;
        offset_in(address, start, length).map(|offset| RegionHit { offset, ..hit })
    }

    fn may_be_dropped(&self, _client: wasmtrap_client_t) -> bool {
        self.asked.mark.set(true);
        self.droppable && self.stack.is_some()
    }
}

/// What the rules say of a fault.
struct Ruling {
    /// The kernel made it, and its kind is taken.
    ours_to_look_at: bool,
    code: Option<CodeHit>,
    protected: bool,
    /// By an instruction that may trap with a fault of this kind.
    at_a_site: bool,
    /// A fetch that had to be aligned: there is no access of which a table could say anything.
    jumped_astray: bool,
    region: Option<RegionHit>,
    stack_overflow: bool,
    trap: Option<wasmtrap_code_t>,
    by_region_alone: bool,
}

fn rule(fault: &Fault, world: &Plain) -> Ruling {
    let kind_bit = match fault.kind {
        Kind::Memory | Kind::Misaligned | Kind::LostMemory => WASMTRAP_FAULT_MEMORY,
        Kind::Illegal => WASMTRAP_FAULT_ILLEGAL,
        Kind::IntegerDivision | Kind::IntegerOverflow | Kind::OtherArithmetic => WASMTRAP_FAULT_ARITHMETIC,
        Kind::Breakpoint => WASMTRAP_FAULT_BREAKPOINT,
        Kind::Fatal => 0,
    };
    let memory = kind_bit == WASMTRAP_FAULT_MEMORY;
    let jumped_astray = fault.kind == Kind::Misaligned && fault.address == Some(fault.pc);
    let data_address = fault.address.filter(|_| memory);
    let code = world
        .code
        .and_then(|(start, length, hit)| offset_in(fault.pc, start, length).map(|offset| CodeHit { offset, ..hit }));
    let region = world.region.and_then(|(start, length, hit)| {
        offset_in(data_address?, start, length).map(|offset| RegionHit { offset, ..hit })
    });
    let overflows = |stack: RunningStack, address: usize| {
        let StackBounds { low, high, guard, margin, .. } = stack.bounds;
        let is_near = stack.sp.abs_diff(address) <= 1 << 20;
        (low - guard..low).contains(&address) || is_near && (low - margin..high).contains(&address)
    };
    let stack_overflow = fault.kind == Kind::Memory
        && region.is_none()
        && world.stack.zip(data_address).is_some_and(|(stack, address)| overflows(stack, address));

    let ours_to_look_at = fault.from_kernel && world.kinds & kind_bit != 0;
    let at_a_site = code.is_some_and(|code| code.site != Site::NotListed);
    let strict = code.is_some_and(|code| code.strict);
    let where_it_may_be = !memory || !strict || region.is_some() || stack_overflow;

    let said_by = |code: wasmtrap_code_t| Some(code).filter(|&code| code != WASMTRAP_CODE_NONE);
    let by_site = match code.map(|code| code.site) {
        Some(Site::Code(code)) => said_by(code),
        _ => None,
    };
    let by_region = region.and_then(|region| said_by(region.code));
    let by_kind = match fault.kind {
        Kind::Memory if stack_overflow => Some(WASMTRAP_CODE_STACK_OVERFLOW),
        Kind::Memory => Some(WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS),
        Kind::Misaligned => Some(WASMTRAP_CODE_HEAP_MISALIGNED),
        Kind::IntegerDivision => Some(WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO),
        Kind::IntegerOverflow => Some(WASMTRAP_CODE_INTEGER_OVERFLOW),
        Kind::Illegal | Kind::Breakpoint => Some(WASMTRAP_CODE_UNREACHABLE),
        // A floating-point exception means nothing in WebAssembly, unless a site says so.
        Kind::OtherArithmetic | Kind::Fatal => None,
        // Nor does memory that is lost, unless the region says so.
        Kind::LostMemory => None,
    };
    let by_memory = by_site.or(by_region).or(by_kind).filter(|_| fault.kind != Kind::LostMemory);
    let by_tables = match region.filter(|region| region.accessible && fault.kind != Kind::Misaligned) {
        Some(region) => said_by(region.accessible_code),
        None => by_memory,
    };

    let protected = world.stack.is_some();
    let of_a_kind = code.is_some_and(|code| code.kinds & kind_bit != 0);
    let is_trap = ours_to_look_at && of_a_kind && at_a_site && protected && where_it_may_be && !jumped_astray;
    let trap_by_tables = by_tables.filter(|_| is_trap);

    // Wherever the program counter is, but not for a fetch; and what the tables make of it comes first.
    let may_drop = world.droppable && protected && ours_to_look_at && fault.address != Some(fault.pc);
    let by_region_alone = match region.filter(|region| region.any_pc && may_drop && trap_by_tables.is_none()) {
        Some(region) if region.accessible && fault.kind != Kind::Misaligned => said_by(region.accessible_code),
        Some(region) if fault.kind == Kind::Memory => said_by(region.code).or(Some(WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS)),
        _ => None,
    };
    let trap = trap_by_tables.or(by_region_alone);
    Ruling {
        ours_to_look_at,
        code,
        protected,
        at_a_site: at_a_site && of_a_kind,
        jumped_astray,
        region,
        stack_overflow,
        trap,
        by_region_alone: by_region_alone.is_some(),
    }
}

/// What was found is true, and is there where the fault is a trap; for a fault handler it is always there, but for the
/// stack of a thread in no protected call.
fn check_findings(findings: &Findings, ruling: &Ruling, for_handler: bool) {
    assert_eq!(findings.trap, ruling.trap);
    assert_eq!(findings.by_any_pc, ruling.by_region_alone);
    let identify_code = |hit: CodeHit| (hit.id, hit.user, hit.offset, hit.strict, hit.site);
    let identify_region = |hit: RegionHit| (hit.id, hit.user, hit.offset, hit.code, hit.accessible, hit.any_pc);
    assert_eq!(findings.code.map(identify_code), ruling.code.map(identify_code));
    let by_tables = ruling.code.is_some() && ruling.protected && ruling.at_a_site && !ruling.jumped_astray;
    if for_handler || by_tables || ruling.by_region_alone {
        assert_eq!(findings.region.map(identify_region), ruling.region.map(identify_region));
        assert_eq!(findings.stack_overflow, ruling.stack_overflow);
    } else {
        assert!(findings.region.is_none() && !findings.stack_overflow);
    }
}

fuzz_target!(|data: &[u8]| {
    let input = &mut Input::new(data);
    let world = Plain::new(input);
    let fault = Fault {
        from_kernel: !input.one_in(16),
        kind: input.pick(&KINDS),
        pc: match world.code {
            // An arbitrary one rarely hits.
            Some((start, length, _)) if !input.one_in(4) => start.wrapping_add(input.below(length + 1)),
            _ => address(input),
        },
        address: (!input.one_in(8)).then(|| address(input)),
    };
    let ruling = rule(&fault, &world);

    let asked = &world.asked;
    match decide(&fault, &world) {
        Verdict::Forward => {
            assert!(!ruling.ours_to_look_at || !world.has_handler || fault.kind == Kind::LostMemory);
            assert_eq!(ruling.trap, None);
        }
        Verdict::Trap(code, findings) => {
            assert!(!world.has_handler);
            assert_eq!(Some(code), ruling.trap);
            check_findings(&findings, &ruling, false);
        }
        Verdict::CallHost(findings) => {
            assert!(ruling.ours_to_look_at && world.has_handler);
            check_findings(&findings, &ruling, true);
            check_conclusions(input, findings, &ruling);
        }
        Verdict::Resume => panic!("only the embedder's handler can say so"),
    }
    assert_eq!(asked.anything.get(), ruling.ours_to_look_at);
    assert_eq!(asked.code.get(), ruling.ours_to_look_at);
    if !world.has_handler {
        assert_eq!(asked.thread.get(), ruling.ours_to_look_at && ruling.code.is_some());
        let by_tables = asked.thread.get() && ruling.protected && ruling.at_a_site;
        let by_address = fault.kind != Kind::Misaligned && fault.address != Some(fault.pc);
        assert!(!asked.region.get() || by_tables || by_address);
        assert!(!asked.mark.get() || ruling.region.is_some_and(|region| region.any_pc) && ruling.ours_to_look_at);
    }
});

/// What the embedder's handler says counts, but for a trap outside of protected calls and for words that it does not
/// have.
fn check_conclusions(input: &mut Input, findings: Findings, ruling: &Ruling) {
    let said = WASMTRAP_CODE_USER + u32::from(input.byte());
    let answers = [
        WASMTRAP_VERDICT_FORWARD,
        WASMTRAP_VERDICT_RESUME,
        WASMTRAP_VERDICT_TRAP,
        WASMTRAP_VERDICT_TRAP + 1 + u32::from(input.byte()),
    ];
    for (answer, protected) in answers.into_iter().flat_map(|answer| [(answer, false), (answer, true)]) {
        let trap = match answer {
            WASMTRAP_VERDICT_TRAP if protected => Some(said),
            _ => ruling.trap,
        };
        match conclude(answer, said, findings, protected) {
            Verdict::Resume => assert_eq!(answer, WASMTRAP_VERDICT_RESUME),
            Verdict::Trap(code, findings) => {
                assert_ne!(answer, WASMTRAP_VERDICT_RESUME);
                assert_eq!(Some(code), trap);
                check_findings(&findings, ruling, true);
            }
            Verdict::Forward => {
                assert_ne!(answer, WASMTRAP_VERDICT_RESUME);
                assert_eq!(trap, None);
            }
            Verdict::CallHost(_) => panic!("the embedder's handler has been asked already"),
        }
    }
}
