//! One test per way that a fault can fail to be ours, one per source of a trap code. No fault is needed.

use core::cell::Cell;

use super::*;
use crate::shared::thread::StackBounds;

const CODE_START: usize = 0x10_0000;
const PC: usize = CODE_START + 0x20;
const MEMORY: usize = 0x7000_0000;
const STACK: StackBounds =
    StackBounds { low: 0x5000_0000, high: 0x5080_0000, guard: 0x1000, margin: 0x80_0000, grows: true };
/// The farthest from the stack pointer that an overflow is found.
const FAR: usize = 0x10_0000;

/// A world in which everything speaks for a trap, and which notes what it was asked.
struct Imagined {
    kinds: u32,
    handler: bool,
    code: Option<CodeHit>,
    stack: Option<RunningStack>,
    region: Option<RegionHit>,
    /// The client for whose regions the call may be dropped.
    droppable_for: Option<wasmtrap_client_t>,
    looked_at_thread: Cell<bool>,
}

impl Default for Imagined {
    fn default() -> Self {
        Self {
            kinds: WASMTRAP_FAULT_MEMORY
                | WASMTRAP_FAULT_ILLEGAL
                | WASMTRAP_FAULT_ARITHMETIC
                | WASMTRAP_FAULT_BREAKPOINT,
            handler: false,
            code: Some(CodeHit {
                id: 1,
                user: 2,
                client: 0,
                kinds: !0,
                offset: PC - CODE_START,
                strict: true,
                site: Site::NoTable,
            }),
            stack: Some(RunningStack { bounds: STACK, sp: STACK.low }),
            region: Some(RegionHit {
                id: 3,
                user: 4,
                client: 0,
                offset: 8,
                code: WASMTRAP_CODE_NONE,
                accessible: false,
                accessible_code: WASMTRAP_CODE_NONE,
                any_pc: false,
            }),
            droppable_for: None,
            looked_at_thread: Cell::new(false),
        }
    }
}

impl Imagined {
    fn with_site(mut self, site: Site) -> Self {
        if let Some(code) = &mut self.code {
            code.site = site;
        }
        self
    }

    fn not_strict(mut self) -> Self {
        if let Some(code) = &mut self.code {
            code.strict = false;
        }
        self
    }
}

impl World for Imagined {
    fn kinds(&self) -> u32 {
        self.kinds
    }
    fn has_fault_handlers(&self) -> bool {
        self.handler
    }
    fn is_to_be_asked(&self, _kind: Kind, _findings: &Findings) -> bool {
        self.handler
    }
    fn code(&self, pc: usize) -> Option<CodeHit> {
        self.code.filter(|_| pc == PC)
    }
    fn protected_stack(&self) -> Option<RunningStack> {
        self.looked_at_thread.set(true);
        self.stack
    }
    fn region(&self, address: usize) -> Option<RegionHit> {
        self.region.filter(|_| (MEMORY..MEMORY + 0x1_0000).contains(&address))
    }
    fn may_be_dropped(&self, client: wasmtrap_client_t) -> bool {
        self.looked_at_thread.set(true);
        self.droppable_for == Some(client)
    }
}

fn memory_fault() -> Fault {
    Fault { from_kernel: true, kind: Kind::Memory, pc: PC, address: Some(MEMORY + 8) }
}

fn fault(kind: Kind) -> Fault {
    Fault { kind, address: None, ..memory_fault() }
}

fn trap_code(fault: &Fault, world: &Imagined) -> Option<wasmtrap_code_t> {
    match decide(fault, world) {
        Verdict::Trap(code, _) => Some(code),
        Verdict::Forward => None,
        other => panic!("neither a trap nor forwarded: {other:?}"),
    }
}

#[test]
fn a_fault_with_everything_in_its_favour_is_a_trap() {
    assert_eq!(trap_code(&memory_fault(), &Imagined::default()), Some(WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS));
}

#[test]
fn a_signal_that_a_process_sent_is_not() {
    let world = Imagined::default();
    assert_eq!(trap_code(&Fault { from_kernel: false, ..memory_fault() }, &world), None);
    assert!(!world.looked_at_thread.get());
}

#[test]
fn a_kind_that_was_not_asked_for_is_not() {
    for kind in [Kind::Memory, Kind::Misaligned, Kind::Illegal, Kind::IntegerDivision, Kind::Breakpoint] {
        let all = Imagined::default();
        let others = Imagined { kinds: all.kinds & !kind.bit(), ..Imagined::default() };
        assert!(trap_code(&Fault { kind, ..memory_fault() }, &all).is_some(), "{kind:?}");
        assert_eq!(trap_code(&Fault { kind, ..memory_fault() }, &others), None, "{kind:?}");
    }
}

#[test]
fn a_fatal_fault_is_not() {
    assert_eq!(trap_code(&fault(Kind::Fatal), &Imagined::default().with_site(Site::Code(9))), None);
}

#[test]
fn a_program_counter_elsewhere_is_not_and_the_thread_is_not_looked_at() {
    let world = Imagined::default();
    assert_eq!(trap_code(&Fault { pc: PC + 1, ..memory_fault() }, &world), None);
    assert!(!world.looked_at_thread.get());
}

#[test]
fn a_thread_outside_of_protected_calls_is_not() {
    let world = Imagined { stack: None, ..Imagined::default() };
    assert_eq!(trap_code(&memory_fault(), &world), None);
}

#[test]
fn an_instruction_that_is_no_site_is_not() {
    assert_eq!(trap_code(&memory_fault(), &Imagined::default().with_site(Site::NotListed)), None);
    assert_eq!(trap_code(&fault(Kind::Illegal), &Imagined::default().with_site(Site::NotListed)), None);
}

#[test]
fn strict_wants_the_address_in_a_region_or_in_the_stack() {
    let elsewhere = Fault { address: Some(0), ..memory_fault() };
    let nowhere = Fault { address: None, ..memory_fault() };
    for fault in [elsewhere, nowhere] {
        assert_eq!(trap_code(&fault, &Imagined::default()), None, "{fault:?}");
        assert_eq!(trap_code(&fault, &Imagined::default().with_site(Site::Code(9))), None, "{fault:?}");
        assert_eq!(
            trap_code(&fault, &Imagined::default().not_strict()),
            Some(WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS),
            "{fault:?}"
        );
    }
}

#[test]
fn strict_says_nothing_about_faults_that_have_no_address() {
    assert_eq!(trap_code(&fault(Kind::Illegal), &Imagined::default()), Some(WASMTRAP_CODE_UNREACHABLE));
    assert_eq!(
        trap_code(&fault(Kind::IntegerDivision), &Imagined::default()),
        Some(WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO)
    );
}

#[test]
fn the_stack_and_its_guard_mean_stack_overflow() {
    let at = |address| Fault { address: Some(address), ..memory_fault() };
    let world = Imagined { region: None, ..Imagined::default() };
    for address in [STACK.low - STACK.guard, STACK.low - 1, STACK.low, STACK.low + FAR, STACK.low - FAR] {
        assert_eq!(trap_code(&at(address), &world), Some(WASMTRAP_CODE_STACK_OVERFLOW), "{address:#x}");
    }
    for address in [STACK.low + FAR + 1, STACK.low - FAR - 1, STACK.high - 1, STACK.high] {
        assert_eq!(trap_code(&at(address), &world), None, "{address:#x}");
    }
}

#[test]
fn outside_of_the_guard_an_overflow_is_near_the_stack_pointer() {
    let code = |sp, address| {
        let stack = Some(RunningStack { bounds: STACK, sp });
        trap_code(
            &Fault { address: Some(address), ..memory_fault() },
            &Imagined { region: None, stack, ..Imagined::default() },
        )
    };
    let overflow = Some(WASMTRAP_CODE_STACK_OVERFLOW);
    let top = STACK.high - 64;
    assert_eq!(code(top, STACK.low - 8), overflow, "the guard is known");
    assert_eq!(code(top, STACK.low), None, "the lowest byte of the potential stack");
    assert_eq!(code(top, top - FAR), overflow, "a guard of the host's high up in the stack");
    assert_eq!(code(top, top - FAR - 1), None);
    let bottom = STACK.low - STACK.margin;
    assert_eq!(code(bottom + 8, bottom), overflow, "a limit that has been raised");
    assert_eq!(code(bottom + 8, bottom - 1), None, "memory of others");
    assert_eq!(code(0, 8), None);
    assert_eq!(code(usize::MAX, usize::MAX - 7), None);
}

#[test]
fn a_misaligned_access_is_no_stack_overflow() {
    let misaligned = Fault { kind: Kind::Misaligned, address: Some(STACK.low), ..memory_fault() };
    let world = Imagined { region: None, ..Imagined::default() };
    assert_eq!(trap_code(&misaligned, &world), None);
    assert_eq!(trap_code(&misaligned, &world.not_strict()), Some(WASMTRAP_CODE_HEAP_MISALIGNED));
}

#[test]
fn an_unknown_stack_is_nowhere() {
    let world = Imagined {
        region: None,
        stack: Some(RunningStack { bounds: StackBounds::default(), sp: 0 }),
        ..Imagined::default()
    };
    for address in [0, 1, usize::MAX] {
        assert_eq!(trap_code(&Fault { address: Some(address), ..memory_fault() }, &world), None, "{address:#x}");
    }
}

#[test]
fn the_code_is_the_sites_else_the_regions_else_the_kinds() {
    let with = |site, region| {
        let mut world = Imagined::default().with_site(site);
        if let Some(hit) = &mut world.region {
            hit.code = region;
        }
        trap_code(&memory_fault(), &world)
    };
    assert_eq!(with(Site::Code(0x1001), 0x1002), Some(0x1001));
    assert_eq!(with(Site::Code(WASMTRAP_CODE_NONE), 0x1002), Some(0x1002));
    assert_eq!(with(Site::NoTable, 0x1002), Some(0x1002));
    assert_eq!(with(Site::Code(WASMTRAP_CODE_NONE), WASMTRAP_CODE_NONE), Some(WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS));
}

#[test]
fn a_fault_in_the_accessible_part_is_a_trap_only_with_a_code_of_its_own() {
    let with = |kind, site, accessible_code| {
        let mut world = Imagined::default().with_site(site).not_strict();
        if let Some(hit) = &mut world.region {
            (hit.accessible, hit.accessible_code, hit.code) = (true, accessible_code, 0x1002);
        }
        trap_code(&Fault { kind, ..memory_fault() }, &world)
    };
    for kind in [Kind::Memory, Kind::LostMemory] {
        for site in [Site::NoTable, Site::Code(WASMTRAP_CODE_NONE), Site::Code(0x1001)] {
            assert_eq!(with(kind, site, WASMTRAP_CODE_NONE), None, "{kind:?} {site:?}");
            assert_eq!(with(kind, site, 0x1003), Some(0x1003), "{kind:?} {site:?}");
        }
        assert_eq!(with(kind, Site::NotListed, 0x1003), None, "{kind:?}");
    }
    assert_eq!(with(Kind::Misaligned, Site::NoTable, 0x1003), Some(0x1002), "that is the guest's doing");
}

#[test]
fn lost_memory_is_out_of_bounds_nowhere_and_no_fault_handler_is_asked() {
    let lost = Fault { kind: Kind::LostMemory, ..memory_fault() };
    for handler in [false, true] {
        for site in [Site::NoTable, Site::Code(0x1001)] {
            let world = || Imagined { handler, ..Imagined::default().with_site(site) };
            assert_eq!(trap_code(&lost, &world()), None);
            assert_eq!(trap_code(&lost, &world().not_strict()), None);
            let stack = Fault { address: Some(STACK.low - 1), ..lost };
            assert_eq!(trap_code(&stack, &Imagined { region: None, ..world() }), None);
        }
    }
}

#[test]
fn floating_point_exceptions_are_the_hosts_unless_a_site_says_otherwise() {
    let exception = fault(Kind::OtherArithmetic);
    assert_eq!(trap_code(&exception, &Imagined::default()), None);
    assert_eq!(trap_code(&exception, &Imagined::default().with_site(Site::Code(0x1003))), Some(0x1003));
}

#[test]
fn a_misaligned_access_has_its_own_code() {
    let misaligned = Fault { kind: Kind::Misaligned, ..memory_fault() };
    assert_eq!(trap_code(&misaligned, &Imagined::default()), Some(WASMTRAP_CODE_HEAP_MISALIGNED));
}

#[test]
fn the_embedders_handler_is_asked_about_everything_that_the_kernel_made() {
    let asked = |fault: &Fault, world: Imagined| match decide(fault, &Imagined { handler: true, ..world }) {
        Verdict::CallHost(findings) => Some(findings),
        _ => None,
    };
    let ours = asked(&memory_fault(), Imagined::default()).expect("asked");
    assert_eq!(ours.trap, Some(WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS));
    let foreign = asked(&Fault { pc: 1, ..memory_fault() }, Imagined::default()).expect("asked");
    assert!(foreign.trap.is_none() && foreign.code.is_none());
    assert!(asked(&Fault { from_kernel: false, ..memory_fault() }, Imagined::default()).is_none());
    assert!(asked(&memory_fault(), Imagined { kinds: 0, ..Imagined::default() }).is_none());
}

#[test]
fn what_the_embedders_handler_says_counts() {
    let ours = Findings { trap: Some(7), ..Findings::default() };
    let foreign = Findings::default();
    let end = |answer, findings, protected| match conclude(answer, 0x1004, findings, protected) {
        Verdict::Trap(code, _) => Some(code),
        Verdict::Forward => None,
        Verdict::Resume => Some(u32::MAX),
        Verdict::CallHost(_) => panic!("asked twice"),
    };
    assert_eq!(end(WASMTRAP_VERDICT_RESUME, ours, true), Some(u32::MAX));
    assert_eq!(end(WASMTRAP_VERDICT_RESUME, foreign, false), Some(u32::MAX));
    assert_eq!(end(WASMTRAP_VERDICT_TRAP, foreign, true), Some(0x1004));
    assert_eq!(end(WASMTRAP_VERDICT_TRAP, ours, true), Some(0x1004));
    // There is nowhere to land.
    assert_eq!(end(WASMTRAP_VERDICT_TRAP, foreign, false), None);
    for no_opinion in [WASMTRAP_VERDICT_FORWARD, 99] {
        assert_eq!(end(no_opinion, ours, true), Some(7));
        assert_eq!(end(no_opinion, foreign, true), None);
    }
}

#[test]
fn a_fetch_that_must_be_aligned_and_was_not_is_forwarded() {
    let jump = Fault { kind: Kind::Misaligned, address: Some(PC), ..memory_fault() };
    assert!(matches!(decide(&jump, &Imagined::default().not_strict()), Verdict::Forward));
    let access = Fault { address: Some(MEMORY + 1), ..jump };
    assert!(matches!(decide(&access, &Imagined::default().not_strict()), Verdict::Trap(..)));
}

/// Somebody else's code accesses a region in which that is a trap, inside a call that may be dropped.
fn from_any_pc() -> Imagined {
    let mut world = Imagined { code: None, droppable_for: Some(0), ..Imagined::default() };
    if let Some(region) = &mut world.region {
        region.any_pc = true;
    }
    world
}

#[test]
fn a_fault_in_such_a_region_is_a_trap_from_any_program_counter() {
    let Verdict::Trap(code, findings) = decide(&memory_fault(), &from_any_pc()) else { panic!("no trap") };
    assert_eq!(code, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS);
    assert!(findings.by_any_pc && findings.code.is_none() && findings.region.is_some());

    let mut world = from_any_pc();
    world.region.as_mut().unwrap().code = 0x1234;
    assert_eq!(trap_code(&memory_fault(), &world), Some(0x1234));
    // Registered code that says no does not stand in the way.
    let world = Imagined { code: Imagined::default().with_site(Site::NotListed).code, ..from_any_pc() };
    assert_eq!(trap_code(&memory_fault(), &world), Some(WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS));
}

#[test]
fn what_is_a_trap_by_its_code_is_none_by_its_region_alone() {
    let world = Imagined { code: Imagined::default().with_site(Site::Code(0x1001)).code, ..from_any_pc() };
    let Verdict::Trap(code, findings) = decide(&memory_fault(), &world) else { panic!("no trap") };
    assert_eq!((code, findings.by_any_pc), (0x1001, false));
}

#[test]
fn one_thing_that_is_missing_forwards_it() {
    let forwards = |what, fault: Fault, change: fn(&mut Imagined)| {
        let mut world = from_any_pc();
        change(&mut world);
        assert_eq!(trap_code(&fault, &world), None, "{what}");
    };
    forwards("no mark", memory_fault(), |world| world.droppable_for = None);
    forwards("another client's mark", memory_fault(), |world| world.droppable_for = Some(1));
    forwards("no flag", memory_fault(), |world| world.region.as_mut().unwrap().any_pc = false);
    forwards("no region", memory_fault(), |world| world.region = None);
    forwards("a signal that was sent", Fault { from_kernel: false, ..memory_fault() }, |_| ());
    forwards("a kind that is not taken", memory_fault(), |world| world.kinds = WASMTRAP_FAULT_ILLEGAL);
    forwards("no address", Fault { address: None, ..memory_fault() }, |_| ());
    forwards("a fetch", Fault { pc: MEMORY + 8, ..memory_fault() }, |_| ());
    forwards("no memory fault", Fault { kind: Kind::Illegal, ..memory_fault() }, |_| ());
    forwards("the host's own misaligned access", Fault { kind: Kind::Misaligned, ..memory_fault() }, |_| ());
    forwards("lost memory", Fault { kind: Kind::LostMemory, ..memory_fault() }, |_| ());
}

#[test]
fn the_accessible_part_keeps_its_meaning_from_any_program_counter() {
    let mut world = from_any_pc();
    world.region.as_mut().unwrap().accessible = true;
    assert_eq!(trap_code(&memory_fault(), &world), None);
    world.region.as_mut().unwrap().accessible_code = 0x1234;
    assert_eq!(trap_code(&memory_fault(), &world), Some(0x1234));
    assert_eq!(trap_code(&Fault { kind: Kind::LostMemory, ..memory_fault() }, &world), Some(0x1234));
}

#[test]
fn a_foreign_thread_is_not_looked_at_for_any_other_region() {
    let world = Imagined { code: None, ..Imagined::default() };
    assert_eq!(trap_code(&memory_fault(), &world), None);
    assert!(!world.looked_at_thread.get());
}

#[test]
fn a_fault_is_its_codes_clients_else_its_regions() {
    let world = Imagined::default();
    let code = world.code.map(|code| CodeHit { client: 5, ..code });
    let region = world.region.map(|region| RegionHit { client: 6, ..region });
    assert_eq!(Findings { code, region, ..Findings::default() }.owner(), Some(5));
    assert_eq!(Findings { region, ..Findings::default() }.owner(), Some(6));
    assert_eq!(Findings::default().owner(), None);
}

#[test]
fn a_kind_that_the_code_does_not_ask_for_is_not_a_trap() {
    for (kinds, trap) in [(WASMTRAP_FAULT_MEMORY, true), (WASMTRAP_FAULT_ILLEGAL, false), (0, false)] {
        let mut world = Imagined::default();
        world.code.as_mut().unwrap().kinds = kinds;
        assert_eq!(trap_code(&memory_fault(), &world).is_some(), trap, "{kinds:#x}");
    }
}

#[test]
fn a_fault_handler_is_told_what_is_known_of_the_address() {
    let told = |fault: Fault, change: fn(&mut Imagined)| {
        // Not in the code, so that the decision has not looked.
        let mut world = Imagined { handler: true, code: None, ..Imagined::default() };
        change(&mut world);
        let Verdict::CallHost(findings) = decide(&fault, &world) else { panic!("not asked") };
        (findings.region.map(|region| region.id), findings.stack_overflow)
    };
    let overflow = Fault { address: Some(STACK.low - 1), ..memory_fault() };
    assert_eq!(told(memory_fault(), |_| ()), (Some(3), false));
    assert_eq!(told(overflow, |_| ()), (None, true));
    assert_eq!(told(Fault { kind: Kind::Misaligned, ..overflow }, |_| ()), (None, false));
    assert_eq!(told(Fault { kind: Kind::Illegal, ..memory_fault() }, |_| ()), (None, false));
    assert_eq!(told(Fault { address: Some(0), ..overflow }, |_| ()), (None, false));
    assert_eq!(told(Fault { address: None, ..overflow }, |_| ()), (None, false));
    assert_eq!(told(overflow, |world| world.stack = None), (None, false));
    // Where an address is in both, the region is the embedder's word.
    let in_both = |world: &mut Imagined| {
        let bounds = StackBounds { low: MEMORY, high: MEMORY + 0x1000, ..STACK };
        world.stack = Some(RunningStack { bounds, sp: MEMORY + 64 });
    };
    assert_eq!(told(memory_fault(), in_both), (Some(3), false));
}
