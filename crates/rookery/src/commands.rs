//! The commands and their options.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Tencent Cloud on your own machine.
#[derive(Debug, Parser)]
#[command(name = "rookery", version, about, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the cloud: the API, the registry and the admin pages on the same ports.
    Serve(Serve),
    /// Print what SDKs, tccli, Terraform and docker need, as shell exports.
    Env(DataDirectory),
    /// Call any action, here or on the real cloud.
    Call(Call),
    /// Show why a request was refused, and where a canonical request of yours differs from the server's.
    Explain(Explain),
    /// Show what happened to a request, or to the last ones.
    Trace(Trace),
    /// Export, import, snapshot, restore or reset the state of a data directory that is not in use.
    State(State),
}

#[derive(Debug, Args)]
pub(crate) struct DataDirectory {
    /// Where everything is kept.
    #[arg(long, env = "ROOKERY_DATA", default_value = "./rookery-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address for HTTP; loopback only. Port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    pub(crate) http: SocketAddr,
    /// Address for HTTPS, with certificates of the authority in DIR/ca.pem. Port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDR")]
    pub(crate) https: SocketAddr,
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    /// Pin the root's SecretId instead of a random one.
    #[arg(long, env = "ROOKERY_SECRET_ID", requires = "secret_key", value_name = "ID")]
    pub(crate) secret_id: Option<String>,
    /// Pin the root's SecretKey. Prefer the environment: other users can read a command line.
    #[arg(
        long,
        env = "ROOKERY_SECRET_KEY",
        requires = "secret_id",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub(crate) secret_key: Option<String>,
    /// The region that `rookery env` prints, and the one nearest to this machine.
    #[arg(long, env = "ROOKERY_REGION", default_value = "ap-guangzhou", value_name = "REGION")]
    pub(crate) region: String,
    /// Registries are reached as NAME.SUFFIX (and always as the first path segment).
    #[arg(long, default_value = "cr.localhost", value_name = "SUFFIX")]
    pub(crate) registry_suffix: String,
    /// Refuse more than N calls per second of one action by one identity (the platform's usual limit is 20). Off unless given.
    #[arg(long, value_name = "N")]
    pub(crate) rate_limit: Option<u32>,
    /// How many requests the trace keeps.
    #[arg(long, default_value_t = 2048, value_name = "N")]
    pub(crate) traces: usize,
    /// What to log: error, warn, info, debug, or a filter such as `rookery_gateway=debug`.
    #[arg(long, env = "ROOKERY_LOG", default_value = "info", value_name = "FILTER")]
    pub(crate) log: String,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Call {
    /// The product, for instance tcr. Without it the products are listed.
    pub(crate) product: Option<String>,
    /// The action, for instance `CreateNamespace`. Without it the product's actions are listed.
    pub(crate) action: Option<String>,
    /// Parameters: `--RegistryId tcr-… --Filters.0.Name x --Filters '[…]'`; `--help` lists them. Also `--endpoint URL`, `--region REGION`,
    /// `--language en-US|zh-CN`, `--ca FILE` and `--data DIR`; without an endpoint the running cloud of DIR is called.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) parameters: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    /// The `RequestId` of the refusal.
    pub(crate) request_id: String,
    /// The canonical request that you signed, to be compared line by line with the server's.
    #[arg(long, value_name = "FILE")]
    pub(crate) canonical_request: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Trace {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    /// The `RequestId`; without it the last requests are listed.
    pub(crate) request_id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct State {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    #[command(subcommand)]
    pub(crate) command: StateCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// Write every row as JSON lines to standard output. Layers of images are not in it.
    Export,
    /// Read what export wrote from standard input, into an empty state.
    Import,
    /// Copy the whole data directory, consistently, to a new one.
    Snapshot {
        /// The directory to make.
        to: PathBuf,
    },
    /// Replace the data directory by a snapshot.
    Restore {
        /// The snapshot.
        from: PathBuf,
    },
    /// Forget everything but the keys.
    Reset,
}
