//! The decision: what a fault is, from what the fault says and what the tables say.
//!
//! A plain function of its inputs. It is the same for every backend, and the fuzzer and the unit tests call it with no
//! fault at all. The order of its questions is part of its contract: cheapest and safest first, and nothing is known
//! about the thread before the program counter is known to be in registered code, or the address in a region in which a
//! fault is a trap from any program counter. Swallowing a real crash is a security bug, so every doubt ends in
//! `Forward`.

use crate::shared::abi::*;
use crate::shared::thread::RunningStack;

/// What the processor complained about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A load, store or fetch that the memory system refused.
    Memory,
    /// An access that must be aligned and was not.
    Misaligned,
    /// An instruction that is none, `ud2` and `udf` among them.
    Illegal,
    /// An integer division: by zero, or with an overflow. x86-64 does not tell which.
    IntegerDivision,
    /// An integer division whose result is too large, where the system tells it from one by zero (Windows).
    #[cfg_attr(not(windows), allow(dead_code, reason = "other systems do not tell"))]
    IntegerOverflow,
    /// Any other arithmetic: an unmasked floating-point exception.
    OtherArithmetic,
    /// An access to memory that the hardware has lost.
    LostMemory,
    /// `int3` or `brk`.
    Breakpoint,
    /// What no code is meant to survive: failing hardware, a broken shadow stack, a single step.
    Fatal,
}

impl Kind {
    /// The bit by which wasmtrap_init names it; 0 for what cannot be asked for.
    pub fn bit(self) -> u32 {
        match self {
            Self::Memory | Self::Misaligned | Self::LostMemory => WASMTRAP_FAULT_MEMORY,
            Self::Illegal => WASMTRAP_FAULT_ILLEGAL,
            Self::IntegerDivision | Self::IntegerOverflow | Self::OtherArithmetic => WASMTRAP_FAULT_ARITHMETIC,
            Self::Breakpoint => WASMTRAP_FAULT_BREAKPOINT,
            Self::Fatal => 0,
        }
    }

    /// What it traps with where nobody says otherwise. Constants alone, so that the compiler makes a table of it and no
    /// jump.
    fn code(self) -> Option<wasmtrap_code_t> {
        match self {
            Self::Memory => Some(WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS),
            Self::Misaligned => Some(WASMTRAP_CODE_HEAP_MISALIGNED),
            Self::Illegal | Self::Breakpoint => Some(WASMTRAP_CODE_UNREACHABLE),
            Self::IntegerDivision => Some(WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO),
            Self::IntegerOverflow => Some(WASMTRAP_CODE_INTEGER_OVERFLOW),
            // WebAssembly has no floating-point traps: without a site that says otherwise this is the host's affair.
            Self::OtherArithmetic | Self::Fatal => None,
            // Nobody's fault, and nobody's trap unless a region says so.
            Self::LostMemory => None,
        }
    }

    fn touches_memory(self) -> bool {
        matches!(self, Self::Memory | Self::Misaligned | Self::LostMemory)
    }
}

/// A fault, as a backend reads it.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// The kernel made it; a process did not send it.
    pub from_kernel: bool,
    /// What the processor complained about.
    pub kind: Kind,
    /// The instruction that faulted.
    pub pc: usize,
    /// The address it failed to access, where the processor tells.
    pub address: Option<usize>,
}

/// What the range's table of trap sites says of a program counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// The range has no table: any instruction may trap.
    NoTable,
    /// It has one, and this is not in it.
    NotListed,
    /// It is a site, with this code.
    Code(wasmtrap_code_t),
}

/// The code range that a program counter is in.
#[derive(Clone, Copy, Debug)]
pub struct CodeHit {
    /// The range's id.
    pub id: u64,
    /// Its user pointer.
    pub user: usize,
    /// Whose it is.
    pub client: wasmtrap_client_t,
    /// The kinds of fault that may be traps in it, WASMTRAP_FAULT_* or-ed together.
    pub kinds: u32,
    /// The program counter's offset in it.
    pub offset: usize,
    /// WASMTRAP_CODE_STRICT was given.
    pub strict: bool,
    /// The trap site.
    pub site: Site,
}

/// The region that an address is in.
#[derive(Clone, Copy, Debug)]
pub struct RegionHit {
    /// The region's id.
    pub id: u64,
    /// Its user pointer.
    pub user: usize,
    /// Whose it is.
    pub client: wasmtrap_client_t,
    /// The address's offset in it.
    pub offset: usize,
    /// Its trap code, WASMTRAP_CODE_NONE for the kind's.
    pub code: wasmtrap_code_t,
    /// The address is in its accessible part.
    pub accessible: bool,
    /// The trap code of that part, WASMTRAP_CODE_NONE if nothing is a trap there.
    pub accessible_code: wasmtrap_code_t,
    /// WASMTRAP_REGION_ANY_PC was given.
    pub any_pc: bool,
}

/// What the decision asks. The questions come in the order of the functions, and each only if the one before gave
/// reason.
pub trait World {
    /// The kinds that are taken, WASMTRAP_FAULT_* or-ed together.
    fn kinds(&self) -> u32;
    /// Whether any client has a fault handler.
    fn has_fault_handlers(&self) -> bool;
    /// Whether there is a fault handler that is to be asked about a fault of this kind with these findings.
    fn is_to_be_asked(&self, kind: Kind, findings: &Findings) -> bool;
    /// The registered code range at `pc`.
    fn code(&self, pc: usize) -> Option<CodeHit>;
    /// The stack of this thread, if the thread is inside a protected call. The first look at the thread.
    fn protected_stack(&self) -> Option<RunningStack>;
    /// The registered region at `address`.
    fn region(&self, address: usize) -> Option<RegionHit>;
    /// Whether the thread is inside a protected call that may be dropped from any program counter for a fault in this
    /// client's regions. A look at the thread, like `protected_stack`.
    fn may_be_dropped(&self, client: wasmtrap_client_t) -> bool;
}

/// What was found out about a fault on the way to the verdict.
#[derive(Clone, Copy, Debug, Default)]
pub struct Findings {
    /// The code range.
    pub code: Option<CodeHit>,
    /// The region.
    pub region: Option<RegionHit>,
    /// The address is in the thread's own stack or its guard.
    pub stack_overflow: bool,
    /// What the fault traps with by the tables; `None` if it is no trap by them.
    pub trap: Option<wasmtrap_code_t>,
    /// It does so by its region alone, wherever the program counter is.
    pub by_any_pc: bool,
}

impl Findings {
    /// The client whose code it is, else whose region.
    pub fn owner(&self) -> Option<wasmtrap_client_t> {
        self.code.map(|code| code.client).or(self.region.map(|region| region.client))
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    /// Not ours: as if the library were not there.
    Forward,
    /// A trap with this code.
    Trap(wasmtrap_code_t, Findings),
    /// Ask a fault handler, then [`conclude`], and ask the next one if that leaves it open.
    CallHost(Findings),
    /// Go on, with the registers as the embedder's handler left them.
    Resume,
}

/// What to do about `fault`.
#[inline(always)]
pub fn decide(fault: &Fault, world: &impl World) -> Verdict {
    // First, because it costs nothing and because a signal that a process sent says nothing true about its fields.
    if !fault.from_kernel || fault.kind.bit() & world.kinds() == 0 {
        return Verdict::Forward;
    }
    let mut findings = examine(fault, world);
    if findings.trap.is_none() && matches!(fault.kind, Kind::Memory | Kind::LostMemory) {
        examine_address(&mut findings, fault, world);
    }
    if fault.kind == Kind::LostMemory && findings.trap.is_none() {
        // Not even a fault handler can know better: it would take it for an access that is out of bounds.
        return Verdict::Forward;
    }
    if world.has_fault_handlers() {
        look_at_address(&mut findings, fault, world);
        if world.is_to_be_asked(fault.kind, &findings) {
            return Verdict::CallHost(findings);
        }
    }
    match findings.trap {
        Some(code) => Verdict::Trap(code, findings),
        None => Verdict::Forward,
    }
}

/// The verdict once the embedder's handler has spoken: WASMTRAP_VERDICT_*, with `code` if that is TRAP.
#[inline]
pub fn conclude(answer: wasmtrap_verdict_t, code: wasmtrap_code_t, findings: Findings, protected: bool) -> Verdict {
    match (answer, findings.trap) {
        (WASMTRAP_VERDICT_RESUME, _) => Verdict::Resume,
        (WASMTRAP_VERDICT_TRAP, _) if protected => Verdict::Trap(code, findings),
        (_, Some(code)) => Verdict::Trap(code, findings),
        (_, None) => Verdict::Forward,
    }
}

#[inline(always)]
fn examine(fault: &Fault, world: &impl World) -> Findings {
    let mut findings = Findings::default();
    let Some(code) = world.code(fault.pc) else { return findings };
    findings.code = Some(code);
    let Some(stack) = world.protected_stack() else { return findings };
    if code.site == Site::NotListed || fault.kind.bit() & code.kinds == 0 {
        return findings;
    }
    // A fetch that must be aligned and was not: somebody jumped where nobody may.
    if fault.kind == Kind::Misaligned && fault.address == Some(fault.pc) {
        return findings;
    }
    if let (true, Some(address)) = (fault.kind.touches_memory(), fault.address) {
        findings.region = world.region(address);
        // A region is the embedder's word about these addresses; the stack is only ours.
        findings.stack_overflow =
            fault.kind == Kind::Memory && findings.region.is_none() && stack.overflowed_at(address);
    }
    if let Some(region) = findings.region
        && region.accessible
        && fault.kind != Kind::Misaligned
    {
        findings.trap = (region.accessible_code != WASMTRAP_CODE_NONE).then_some(region.accessible_code);
        return findings;
    }
    if fault.kind == Kind::LostMemory {
        return findings;
    }
    if fault.kind.touches_memory() && code.strict && findings.region.is_none() && !findings.stack_overflow {
        return findings;
    }
    findings.trap = code_of(fault, &findings, code.site);
    findings
}

/// A fault that the code range makes no trap of: it may be one by its region alone. Not a fetch: nobody's code accesses
/// guest memory by running there.
#[inline(never)]
fn examine_address(findings: &mut Findings, fault: &Fault, world: &impl World) {
    let Some(address) = fault.address.filter(|&address| address != fault.pc) else { return };
    let Some(region) = findings.region.or_else(|| world.region(address)) else { return };
    if !region.any_pc || !world.may_be_dropped(region.client) {
        return;
    }
    let code = match (region.accessible, fault.kind) {
        (true, _) => region.accessible_code,
        (false, Kind::Memory) if region.code == WASMTRAP_CODE_NONE => WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
        (false, Kind::Memory) => region.code,
        (false, _) => WASMTRAP_CODE_NONE,
    };
    if code != WASMTRAP_CODE_NONE {
        *findings = Findings { region: Some(region), trap: Some(code), by_any_pc: true, ..*findings };
    }
}

/// For a fault handler, which is told all there is: what is known of the address, wherever the program counter is.
#[inline(never)]
fn look_at_address(findings: &mut Findings, fault: &Fault, world: &impl World) {
    if let (true, Some(address), None) = (fault.kind.touches_memory(), fault.address, findings.region) {
        findings.region = world.region(address);
        findings.stack_overflow = fault.kind == Kind::Memory
            && findings.region.is_none()
            && world.protected_stack().is_some_and(|stack| stack.overflowed_at(address));
    }
}

/// The site's code, else the region's, else what follows from the kind.
#[inline(always)]
fn code_of(fault: &Fault, findings: &Findings, site: Site) -> Option<wasmtrap_code_t> {
    if let Site::Code(code) = site
        && code != WASMTRAP_CODE_NONE
    {
        return Some(code);
    }
    if let Some(region) = findings.region
        && region.code != WASMTRAP_CODE_NONE
    {
        return Some(region.code);
    }
    if findings.stack_overflow {
        return Some(WASMTRAP_CODE_STACK_OVERFLOW);
    }
    fault.kind.code()
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
