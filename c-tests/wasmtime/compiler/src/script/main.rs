//! Compiles the specification's test scripts: each FOLDER/SCRIPT.wast into OUTPUT/FOLDER/SCRIPT with its modules,
//! compiled, and its commands, in lines that a small C program can read.
//!
//!     wasm-compile-script OUTPUT FOLDER/SCRIPT.wast...
//!
//! What can be decided by compiling alone (assert_invalid, assert_malformed) is decided here, and the outcome is a
//! command too. The format of the lines is in `commands`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, QuoteWatTest, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

use commands::{Commands, argument, expectation};

mod commands;
#[path = "../../../../../adapters/wasmtime/shared/configuration.rs"]
mod configuration;
#[path = "../../../../../adapters/wasmtime/shared/container.rs"]
mod container;

/// A script on its way.
struct Script<'a> {
    engine: &'a wasmtime::Engine,
    folder: PathBuf,
    commands: Commands,
    modules: usize,
}

/// Why something could not be compiled.
type Refusal = String;

impl Script<'_> {
    /// Compiles a module into a file of this script's folder.
    fn compile(&mut self, wasm: &[u8]) -> Result<String, Refusal> {
        let compiled = self.engine.precompile_module(wasm).map_err(|error| format!("{error:#}"))?;
        let name = format!("{}.module", self.modules);
        self.modules += 1;
        std::fs::write(self.folder.join(&name), container::pack(&compiled)).map_err(|error| error.to_string())?;
        Ok(name)
    }

    fn compile_quoted(&mut self, module: &mut QuoteWat<'_>) -> Result<String, Refusal> {
        let wasm = match module.to_test().map_err(|error| error.to_string())? {
            QuoteWatTest::Binary(wasm) => wasm,
            // Through Wasmtime's own reader of text, as an embedder would.
            QuoteWatTest::Text(text) => text,
        };
        self.compile(&wasm)
    }

    fn compile_wat(&mut self, module: &mut Wat<'_>) -> Result<String, Refusal> {
        let wasm = module.encode().map_err(|error| error.to_string())?;
        self.compile(&wasm)
    }

    /// A command that needs a module; where that does not compile, a command that says why, which fails.
    fn with_module(&mut self, line: usize, module: Result<String, Refusal>, words: impl FnOnce(&str) -> Vec<String>) {
        match module {
            Ok(file) => self.commands.add(line, words(&file)),
            Err(why) => self.commands.add(line, vec!["not-compiled".into(), commands::quote(&why)]),
        }
    }

    fn rejected(&mut self, line: usize, kind: &str, mut module: QuoteWat<'_>) {
        let outcome = match self.compile_quoted(&mut module) {
            Ok(_) => "accepted",
            Err(_) => "rejected",
        };
        self.commands.add(line, vec![kind.into(), outcome.into()]);
    }

    fn directive(&mut self, line: usize, directive: WastDirective<'_>) -> Result<(), String> {
        let optional = |id: Option<wast::token::Id<'_>>| id.map_or("-".to_string(), |id| commands::quote(id.name()));
        match directive {
            WastDirective::Module(mut module) => {
                let name = optional(module.name());
                let file = self.compile_quoted(&mut module);
                self.with_module(line, file, |file| vec!["module".into(), file.into(), name]);
            }
            WastDirective::ModuleDefinition(mut module) => {
                let name = optional(module.name());
                let file = self.compile_quoted(&mut module);
                self.with_module(line, file, |file| vec!["definition".into(), file.into(), name]);
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                self.commands.add(line, vec!["instance".into(), optional(module), optional(instance)]);
            }
            WastDirective::AssertInvalid { module, .. } => self.rejected(line, "invalid", module),
            WastDirective::AssertMalformed { module, .. } => self.rejected(line, "malformed", module),
            WastDirective::Register { name, module, .. } => {
                self.commands.add(line, vec!["register".into(), commands::quote(name), optional(module)]);
            }
            WastDirective::Invoke(invoke) => {
                let mut words = vec!["run".to_string()];
                words.extend(self.invoke(invoke)?);
                self.commands.add(line, words);
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                let mut expected = vec![results.len().to_string()];
                for result in &results {
                    let WastRet::Core(result) = result else { return Err("a result of no core module".into()) };
                    expected.push(expectation(result)?);
                }
                self.execute(line, vec!["return".into()], expected, exec)?;
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                self.execute(line, vec!["trap".into()], vec![commands::quote(message)], exec)?;
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                let exec = WastExecute::Invoke(call);
                self.execute(line, vec!["exhaustion".into()], vec![commands::quote(message)], exec)?;
            }
            WastDirective::AssertException { exec, .. } => {
                self.execute(line, vec!["exception".into()], vec![], exec)?
            }
            WastDirective::AssertUnlinkable { mut module, message, .. } => {
                let file = self.compile_wat(&mut module);
                self.with_module(line, file, |file| vec!["unlinkable".into(), commands::quote(message), file.into()]);
            }
            // Custom sections mean nothing to an engine.
            WastDirective::AssertMalformedCustom { .. } | WastDirective::AssertInvalidCustom { .. } => {}
            WastDirective::AssertSuspension { .. } => return Err("assert_suspension".into()),
            WastDirective::Thread(_) | WastDirective::Wait { .. } => return Err("threads".into()),
        }
        Ok(())
    }

    /// A command about something that runs: its kind, what is expected of it, and what it is.
    fn execute(
        &mut self,
        line: usize,
        mut words: Vec<String>,
        expected: Vec<String>,
        exec: WastExecute<'_>,
    ) -> Result<(), String> {
        words.extend(expected);
        match exec {
            WastExecute::Invoke(invoke) => {
                words.push("invoke".into());
                words.extend(self.invoke(invoke)?);
            }
            WastExecute::Get { module, global, .. } => {
                let module = module.map_or("-".to_string(), |id| commands::quote(id.name()));
                words.extend(["get".into(), module, commands::quote(global)]);
            }
            WastExecute::Wat(mut module) => {
                let file = self.compile_wat(&mut module);
                self.with_module(line, file, |file| {
                    words.extend(["instantiate".into(), file.into()]);
                    words
                });
                return Ok(());
            }
        }
        self.commands.add(line, words);
        Ok(())
    }

    /// An instance, a function and its arguments.
    fn invoke(&self, invoke: WastInvoke<'_>) -> Result<Vec<String>, String> {
        let module = invoke.module.map_or("-".to_string(), |id| commands::quote(id.name()));
        let mut words = vec![module, commands::quote(invoke.name), invoke.args.len().to_string()];
        for given in &invoke.args {
            let WastArg::Core(given) = given else { return Err("an argument of no core module".into()) };
            words.push(argument(given)?);
        }
        Ok(words)
    }
}

/// Compiles one script into `folder`.
fn compile_script(engine: &wasmtime::Engine, path: &Path, folder: PathBuf) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut lexer = wast::lexer::Lexer::new(&text);
    // Some scripts test exactly these characters.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(|error| error.to_string())?;
    let wast: Wast<'_> = parser::parse(&buffer).map_err(|error| error.to_string())?;
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let mut script = Script { engine, folder, commands: Commands::default(), modules: 0 };
    for directive in wast.directives {
        let line = directive.span().linecol_in(&text).0 + 1;
        script.directive(line, directive).map_err(|what| format!("line {line}: {what} is not supported"))?;
    }
    let file = script.folder.join("commands");
    std::fs::write(file, script.commands.text()).map_err(|error| error.to_string())
}

/// What the specification's scripts import, in WebAssembly itself.
const SPECTEST: &str = include_str!("spectest.wat");

/// A thread's. Some scripts are nested deep, and the parser goes down with them.
const STACK_SIZE: usize = 64 << 20;

fn run(arguments: &[String]) -> Result<(), String> {
    let [output, scripts @ ..] = arguments else {
        return Err("usage: wasm-compile-script OUTPUT FOLDER/SCRIPT.wast...".into());
    };
    let output = Path::new(output);
    let engine = wasmtime::Engine::new(&configuration::configuration()).map_err(|error| format!("{error:?}"))?;
    std::fs::create_dir_all(output).map_err(|error| format!("{}: {error}", output.display()))?;
    let spectest = engine.precompile_module(SPECTEST.as_bytes()).map_err(|error| format!("spectest.wat: {error:?}"))?;
    std::fs::write(output.join("spectest.module"), container::pack(&spectest)).map_err(|error| error.to_string())?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let compile_share = |first: usize| {
        scripts.iter().skip(first).step_by(threads).map(Path::new).try_for_each(|script| {
            let folder = script.parent().and_then(Path::file_name).unwrap_or_default();
            let name = script.file_stem().ok_or_else(|| format!("{}: no file", script.display()))?;
            let output = output.join(folder).join(name);
            compile_script(&engine, script, output).map_err(|why| format!("{}: {why}", script.display()))
        })
    };
    std::thread::scope(|scope| {
        let compile_share = &compile_share;
        let new_thread = || std::thread::Builder::new().stack_size(STACK_SIZE);
        let shares: Vec<_> = (0..threads)
            .map(|first| new_thread().spawn_scoped(scope, move || compile_share(first)))
            .collect::<Result<_, _>>()
            .map_err(|error| format!("no thread: {error}"))?;
        shares.into_iter().try_for_each(|share| share.join().unwrap_or_else(|_| Err("a thread has panicked".into())))
    })
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("wasm-compile-script: {message}");
            ExitCode::FAILURE
        }
    }
}
