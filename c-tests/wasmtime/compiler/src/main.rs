//! Compiles a WebAssembly module, binary or text, for the host.
//!
//!     wasm-compile [--target TRIPLE] INPUT OUTPUT

use std::process::ExitCode;

#[path = "../../shared/configuration.rs"]
mod configuration;
#[path = "../../shared/container.rs"]
mod container;

fn compile(target: Option<&str>, input: &str, output: &str) -> Result<(), String> {
    let mut config = configuration::configuration();
    if let Some(target) = target {
        config.target(target).map_err(|error| format!("{target}: {error:?}"))?;
    }
    let engine = wasmtime::Engine::new(&config).map_err(|error| format!("{error:?}"))?;
    let source = std::fs::read(input).map_err(|error| format!("{input}: {error}"))?;
    let compiled = engine.precompile_module(&source).map_err(|error| format!("{input}: {error:?}"))?;
    std::fs::write(output, container::pack(&compiled)).map_err(|error| format!("{output}: {error}"))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["--target", target, input, output] => compile(Some(target), input, output),
        [input, output] if !input.starts_with("--") => compile(None, input, output),
        _ => Err("usage: wasm-compile [--target TRIPLE] INPUT OUTPUT".to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("wasm-compile: {message}");
            ExitCode::FAILURE
        }
    }
}
