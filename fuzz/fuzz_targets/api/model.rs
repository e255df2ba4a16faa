//! What the library should know, in the plainest form, and what it should therefore answer.
//!
//! Written from wasmtrap.h: lists that are searched from end to end, conditions that are looked at one by one.

use wasmtrap::abi::*;

use crate::faults::Stub;

/// A registered code range.
#[derive(Clone, Debug)]
pub struct Code {
    pub id: u64,
    pub start: usize,
    pub last: usize,
    pub sites: Option<Vec<wasmtrap_site_t>>,
    pub strict: bool,
    pub user: usize,
}

/// A registered region.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    pub id: u64,
    pub start: usize,
    pub last: usize,
    pub code: wasmtrap_code_t,
    pub user: usize,
}

/// The embedder's fault handler, and what it is about to say.
#[derive(Clone, Copy, Debug)]
pub struct Handler {
    pub user: usize,
    pub verdict: wasmtrap_verdict_t,
    pub code: wasmtrap_code_t,
    pub payload: u64,
}

/// A chain that was detached: how many protected calls it has.
#[derive(Clone, Copy, Debug)]
pub struct Detached {
    pub chain: *mut wasmtrap_chain_t,
    pub calls: usize,
}

#[derive(Default)]
pub struct Model {
    /// Set between wasmtrap_init and wasmtrap_shutdown.
    pub options: Option<wasmtrap_options_t>,
    /// How many calls of wasmtrap_init there were without one of wasmtrap_shutdown yet.
    pub users: usize,
    pub code: Vec<Code>,
    pub regions: Vec<Region>,
    /// Ids that were taken back.
    pub stale: Vec<u64>,
    pub handler: Option<Handler>,
    /// How many protected calls the thread is in.
    pub calls: usize,
    /// Innermost last.
    pub detached: Vec<Detached>,
    /// What wasmtrap_last_error says.
    pub sentence: Vec<u8>,
}

/// What a fault comes to, by the registered tables.
#[derive(Clone, Copy, Debug)]
pub struct Findings {
    /// Id, user pointer, offset.
    pub code: Option<(u64, usize, usize)>,
    pub has_site: bool,
    /// Id, user pointer, offset.
    pub region: Option<(u64, usize, usize)>,
    pub trap: Option<wasmtrap_code_t>,
}

/// How a fault ends.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// The host's own handler sees it.
    Forwarded,
    /// The embedder's fault handler lets the thread go on.
    Resumed,
    Trap(wasmtrap_code_t),
    /// A trap by the word of the embedder's fault handler.
    TrapByHandler(wasmtrap_code_t, u64),
}

pub fn contains(start: usize, last: usize, address: usize) -> bool {
    start <= address && address <= last
}

pub fn fault_kinds(options: &wasmtrap_options_t) -> u32 {
    match options.fault_kinds {
        0 => WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL | WASMTRAP_FAULT_ARITHMETIC,
        kinds => kinds,
    }
}

impl Model {
    pub fn is_initialized(&self) -> bool {
        self.options.is_some()
    }

    pub fn code_at(&self, pc: usize) -> Option<&Code> {
        self.code.iter().find(|code| contains(code.start, code.last, pc))
    }

    pub fn is_known(&self, id: u64) -> bool {
        self.code.iter().any(|code| code.id == id) || self.regions.iter().any(|region| region.id == id)
    }

    /// Whether the library looks at this kind of fault.
    pub fn takes(&self, stub: &Stub) -> bool {
        self.options.as_ref().is_some_and(|options| fault_kinds(options) & stub.kind != 0)
    }

    pub fn find(&self, stub: &Stub, address: usize) -> Findings {
        let code = self.code_at(stub.at);
        let site = code.map(|code| {
            let sites = code.sites.as_ref()?;
            Some(sites.iter().find(|site| site.offset as usize == stub.at - code.start))
        });
        let region =
            self.regions.iter().find(|region| stub.touches_memory() && contains(region.start, region.last, address));

        let at_a_site = match site {
            // In no range.
            None => false,
            // In a range without a table.
            Some(None) => true,
            Some(Some(site)) => site.is_some(),
        };
        let listed = site.flatten().flatten();
        let strict = code.is_some_and(|code| code.strict);
        let is_trap = self.calls > 0 && at_a_site && (!stub.touches_memory() || !strict || region.is_some());
        let says = |code: wasmtrap_code_t| Some(code).filter(|&code| code != WASMTRAP_CODE_NONE);
        let meaning = listed
            .and_then(|site| says(site.code))
            .or(region.and_then(|region| says(region.code)))
            .unwrap_or(stub.code);
        Findings {
            code: code.map(|code| (code.id, code.user, stub.at - code.start)),
            has_site: listed.is_some(),
            region: region.map(|region| (region.id, region.user, address - region.start)),
            trap: is_trap.then_some(meaning),
        }
    }

    pub fn outcome(&self, stub: &Stub, findings: &Findings) -> Outcome {
        if !self.takes(stub) {
            return Outcome::Forwarded;
        }
        match (self.handler, findings.trap) {
            (Some(Handler { verdict: WASMTRAP_VERDICT_RESUME, .. }), _) => Outcome::Resumed,
            (Some(Handler { verdict: WASMTRAP_VERDICT_TRAP, code, payload, .. }), _) if self.calls > 0 => {
                Outcome::TrapByHandler(code, payload)
            }
            (_, Some(code)) => Outcome::Trap(code),
            (_, None) => Outcome::Forwarded,
        }
    }
}

/// The errors that a call has reason for. Which of several it reports is its own affair.
#[derive(Default, Debug)]
pub struct Errors(Vec<(wasmtrap_status_t, &'static str)>);

impl Errors {
    /// `word` is in the sentence: what is wrong, by name.
    pub fn when(&mut self, wrong: bool, status: wasmtrap_status_t, word: &'static str) -> &mut Self {
        if wrong {
            self.0.push((status, word));
        }
        self
    }

    pub fn unless_initialized(&mut self, model: &Model) -> &mut Self {
        self.when(!model.is_initialized(), WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init")
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn have(&self, status: wasmtrap_status_t) -> bool {
        self.0.iter().any(|&(reason, _)| reason == status)
    }

    pub fn explain(&self, status: wasmtrap_status_t, sentence: &str) -> bool {
        self.0.iter().any(|&(reason, word)| reason == status && sentence.contains(word))
    }
}
