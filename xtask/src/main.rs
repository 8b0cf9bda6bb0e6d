//! Chores of the repository that are too long for a shell line: `cargo xtask <chore>`.

mod import_models;
mod model;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the Rookery repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct CommandLine {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Rebuild models/ from the official packages `tccli` and `tencentcloud-sdk-python`.
    ImportModels {
        /// A site-packages directory that holds both packages in the pinned versions; without it they are
        /// downloaded with pip into a temporary directory.
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let outcome = match CommandLine::parse().chore {
        Chore::ImportModels { from } => import_models::run(from.as_deref()),
    };
    match outcome {
        Ok(report) => {
            // A reader that went away (`| head`) is no failure of the chore.
            let _ = std::io::stdout().write_all(report.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}
