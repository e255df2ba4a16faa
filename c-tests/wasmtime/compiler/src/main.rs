//! Compiles a WebAssembly module, binary or text, for the host.
//!
//!     wasm-compile [--target TRIPLE | --wasmtime VERSION] INPUT OUTPUT
//!
//! TRIPLE is what it is compiled for instead of this processor. VERSION is what it says of the Wasmtime that compiled
//! it, for tests of hosts, which must refuse it.

use std::process::ExitCode;

use wasmtime::ModuleVersionStrategy;

#[path = "../../../../adapters/wasmtime/shared/configuration.rs"]
mod configuration;
#[path = "../../../../adapters/wasmtime/shared/container.rs"]
mod container;

const USAGE: &str = "usage: wasm-compile [--target TRIPLE | --wasmtime VERSION] INPUT OUTPUT";

fn compile(option: Option<(&str, &str)>, input: &str, output: &str) -> Result<(), String> {
    let mut config = configuration::configuration();
    match option {
        None => Ok(&mut config),
        Some(("--target", target)) => config.target(target),
        Some(("--wasmtime", version)) => config.module_version(ModuleVersionStrategy::Custom(version.into())),
        Some(_) => return Err(USAGE.into()),
    }
    .map_err(|error| format!("{option:?}: {error:?}"))?;
    let engine = wasmtime::Engine::new(&config).map_err(|error| format!("{error:?}"))?;
    let source = std::fs::read(input).map_err(|error| format!("{input}: {error}"))?;
    let compiled = engine.precompile_module(&source).map_err(|error| format!("{input}: {error:?}"))?;
    std::fs::write(output, container::pack(&compiled)).map_err(|error| format!("{output}: {error}"))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [option, value, input, output] => compile(Some((option, value)), input, output),
        [input, output] => compile(None, input, output),
        _ => Err(USAGE.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("wasm-compile: {message}");
            ExitCode::FAILURE
        }
    }
}
