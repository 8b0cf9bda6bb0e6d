//! The command line of Rookery, and the wiring of its parts. Nothing else is here.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

mod access_log;
mod blocking;
mod ca;
mod call;
mod commands;
mod completion;
mod data_directory;
mod doctor;
mod env;
mod explain;
mod files;
mod front;
mod master_key;
mod metrics;
mod migrations;
mod never_read;
mod readiness;
mod scrub;
mod security_groups;
mod serve;
mod state;
mod tags;
mod telemetry;
mod trace;
mod trust;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match cli.command {
        Command::Serve(options) => serve::run(*options),
        Command::Env(options) => env::run(&options),
        Command::Call(options) => call::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Trace(options) => trace::run(&options),
        Command::Trust(options) => trust::run(&options),
        Command::Tags(options) => tags::run(&options),
        Command::Verify(options) => return verify::run(&options),
        Command::Ca(options) => ca::run(&options),
        Command::Doctor(options) => return doctor::run(&options),
        Command::Completion(options) => {
            completion::print(&options);
            Ok(())
        }
        Command::Complete(options) => {
            completion::answer(&options);
            Ok(())
        }
        Command::Scrub(options) => scrub::run(&options),
        Command::State(options) => state::run(options),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rookery: {error}");
            ExitCode::FAILURE
        }
    }
}
