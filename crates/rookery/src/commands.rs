//! The commands and their options.

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use rookery_gateway::listen::PATIENCE;
use rookery_gateway::rate::ActionLimit;

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
    Serve(Box<Serve>),
    /// Print what SDKs, tccli, Terraform and docker need, as shell exports.
    Env(Env),
    /// Call any action, here or on the real cloud.
    Call(Call),
    /// Show why a request was refused, and where a canonical request of yours differs from the server's.
    Explain(Explain),
    /// Show what happened to a request, or to the last ones.
    Trace(Trace),
    /// Print or write what verifiers of a namespace's images need: keys, certificates, policies.
    Trust(Trust),
    /// Check the signatures of an image, and of each image of an index, without any other tool.
    Verify(Verify),
    /// Show what tags named before they were overwritten or deleted, and let them name it again.
    Tags(Tags),
    /// Print the authority's certificate, or where it is, or how each client is told to trust it.
    Ca(Ca),
    /// Check which settings of this shell, home and directory still lead to the real cloud.
    Doctor(DataDirectory),
    /// Print the completion of a shell, to be sourced: `source <(rookery completion bash)`.
    Completion(Completion),
    /// What a shell's completion asks: the words that may stand where the last one stands.
    #[command(hide = true)]
    Complete(Complete),
    /// Read every layer and manifest back, and say what is damaged and which images that touches. The data directory must not be in use.
    Scrub(Scrub),
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
pub(crate) struct Env {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    /// Also the exports that lead clients here through the proxy, under the cloud's real names.
    #[arg(long)]
    pub(crate) proxy: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Ca {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    #[command(subcommand)]
    pub(crate) command: CaCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaCommand {
    /// Print the certificate as PEM.
    Print,
    /// Print where the certificate is.
    Path,
    /// Say how each client is told to trust it.
    Trust,
    /// Print the system's authorities and this one, for clients whose setting replaces the system's.
    Bundle {
        /// The system's authorities, where they are in none of the usual places.
        #[arg(long, value_name = "FILE")]
        roots: Option<PathBuf>,
    },
}

/// As long as the gateway waits by itself.
const DEFAULT_TIMEOUT: NonZeroU64 = NonZeroU64::new(PATIENCE.as_secs()).unwrap();

#[derive(Debug, Args)]
pub(crate) struct Trust {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    /// A namespace with a signature policy, as INSTANCE/NAMESPACE; the instance by its name or its id.
    pub(crate) namespace: String,
    /// What to print.
    #[arg(value_enum, default_value = "all", conflicts_with = "to")]
    pub(crate) what: Trusted,
    /// Write all of it into this directory instead, a file each.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Trusted {
    /// Everything as JSON, with the state of each image; what `rookery verify --trust` takes.
    All,
    /// The public key in PEM, for `cosign verify --key`.
    Key,
    /// The certificate in PEM, for `notation certificate add --type ca --store rookery`.
    Certificate,
    /// The trust policy, for `notation policy import`.
    TrustPolicy,
    /// A policy.json of podman, skopeo, buildah and CRI-O.
    ContainersPolicy,
    /// The file of registries.d that tells them where the signatures are.
    ContainersRegistries,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    /// INSTANCE/NAMESPACE/REPOSITORY with a tag or a digest, with or without the registry's host in front.
    pub(crate) image: String,
    /// What `rookery trust` printed, from a place that you trust; without it the running cloud is asked.
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// Who pulls, where it is not the root's own account. The password is read from `ROOKERY_REGISTRY_PASSWORD`.
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Tags {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    #[command(subcommand)]
    pub(crate) command: TagsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TagsCommand {
    /// What the tags of a repository named before, or one tag; the latest first.
    History {
        /// INSTANCE/NAMESPACE/REPOSITORY[:TAG]; the instance by its name or its id.
        image: String,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let a tag name what it named before. It counts as a push.
    Restore {
        /// INSTANCE/NAMESPACE/REPOSITORY:TAG, with @DIGEST for another image than the last one that is still there.
        image: String,
    },
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
    /// Signature policies made from now on write no Sigstore bundles. For cosign 2.6 without `--trusted-root` and without the internet.
    #[arg(long)]
    pub(crate) no_sigstore_bundles: bool,
    /// What of a pushed layer is on the disk when the push is answered.
    #[arg(long, value_enum, default_value_t = LayerDurability::Strict, conflicts_with = "blobs")]
    pub(crate) layer_durability: LayerDurability,
    /// A collection of garbage leaves alone what is younger than so many seconds, since a push that is under way may need it.
    #[arg(long, default_value_t = 7200, value_name = "SECONDS")]
    pub(crate) gc_window: u32,
    /// How many instances of TCR an account may have in a region.
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub(crate) instance_quota: usize,
    /// For how long a tag that was overwritten or deleted can be seen and restored; its manifest is kept as long. 0 keeps none.
    #[arg(long, default_value_t = 86400, value_name = "SECONDS")]
    pub(crate) tag_retention: u32,
    /// Calls per second of one action by one identity: no limit, the platform's own for each action, or N for every action.
    #[arg(long, alias = "rate-limit", default_value = "off", value_name = "off|platform|N")]
    pub(crate) rate_limits: ActionLimit,
    /// Calls per second of one account through one access region.
    #[arg(long, value_name = "N")]
    pub(crate) account_rate_limit: Option<NonZeroU32>,
    /// Calls per second of one account through all access regions together.
    #[arg(long, value_name = "N")]
    pub(crate) account_rate_limit_everywhere: Option<NonZeroU32>,
    /// Calls per second from one IP address.
    #[arg(long, value_name = "N")]
    pub(crate) ip_rate_limit: Option<NonZeroU32>,
    /// Answer a v1 request (SecretId, Nonce and Timestamp) once only. Not for clients of the Node SDK: its nonces have 16 bits and
    /// repeat within a second by chance.
    #[arg(long)]
    pub(crate) replay_guard: bool,
    /// Answer API calls from these networks only (`10.0.0.0/8`, `192.168.7.9/32`); others get `IpNotInWhitelist`. The registry is not asked.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub(crate) allow_ip: Vec<IpNet>,
    /// Refuse API calls from these networks with `IpInBlacklist`, whatever --allow-ip says.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub(crate) deny_ip: Vec<IpNet>,
    /// How many servers the databases of the cloud may have together.
    #[arg(long, default_value_t = 60, value_name = "N")]
    pub(crate) mariadb_servers: usize,
    /// How much memory they may have together, by what they are set up to use; half of the machine's where it is not given.
    #[arg(long, value_name = "MEGABYTES")]
    pub(crate) mariadb_memory: Option<u64>,
    /// The one directory where the programs of `MariaDB` are looked for, instead of the system's usual ones.
    #[arg(long, env = "ROOKERY_MARIADB_PROGRAMS", value_name = "DIR")]
    pub(crate) mariadb_programs: Option<PathBuf>,
    /// How long a client may keep the server waiting: for a TLS handshake, the head of a request, the next piece of a body (what came of a layer
    /// is kept, to be resumed), the next request of a connection, or room for more of an answer.
    #[arg(long, default_value_t = DEFAULT_TIMEOUT, value_name = "SECONDS")]
    pub(crate) client_timeout: NonZeroU64,
    #[command(flatten)]
    pub(crate) place: BlobPlace,
    /// The address of this machine on which databases open their public addresses, when they are told to. Others than loopback expose them
    /// to whoever reaches that address.
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    pub(crate) mariadb_public_address: IpAddr,
    /// The name that clients are told of it; `localhost`, or the address itself, where none is given.
    #[arg(long, value_name = "NAME")]
    pub(crate) mariadb_public_name: Option<String>,
    /// The security groups that there are, with their rules, as JSON. Without it every group exists and lets everybody in.
    #[arg(long, value_name = "FILE")]
    pub(crate) security_groups: Option<PathBuf>,
    /// Log each request: who asked for what, how it was answered, how long that took.
    #[arg(long)]
    pub(crate) access_log: bool,
    /// Send a span for each request, and for the work in the background, to this `OpenTelemetry` collector (its HTTP port, http/protobuf);
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` does the same, and the other variables of OTLP and of the SDK hold.
    #[arg(long, value_name = "URL")]
    pub(crate) otlp: Option<String>,
    /// How log lines are written.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// How many requests the trace keeps.
    #[arg(long, default_value_t = 2048, value_name = "N")]
    pub(crate) traces: usize,
    /// What to log: error, warn, info, debug, or a filter such as `rookery_gateway=debug`.
    #[arg(long, env = "ROOKERY_LOG", default_value = "info", value_name = "FILTER")]
    pub(crate) log: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayerDurability {
    /// All of it.
    Strict,
    /// What the system has written by itself: faster, and a power failure may damage layers of the last half minute, which a push
    /// mends. Nothing else is less durable.
    Relaxed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Call {
    /// The product, for instance tcr. Without it the products are listed.
    pub(crate) product: Option<String>,
    /// The action, for instance `CreateNamespace`. Without it the product's actions are listed.
    pub(crate) action: Option<String>,
    /// Parameters (`--RegistryId tcr-… --Filters.0.Name x --Filters '[…]'`) and options of the call; `--help` lists both. Without
    /// `--endpoint` the running cloud of `--data DIR` is called with its root's key.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) parameters: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Completion {
    /// The shell.
    pub(crate) shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Complete {
    /// The words after the program's name, up to the one that is being typed.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) words: Vec<String>,
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
pub(crate) struct Scrub {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    #[command(flatten)]
    pub(crate) place: BlobPlace,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where layers are kept.
#[derive(Debug, Args)]
pub(crate) struct BlobPlace {
    /// Keep layers in a bucket instead of the data directory: `s3://BUCKET[/PREFIX]`. Keys and region are read from
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` and `AWS_REGION`, authorities from `AWS_CA_BUNDLE`.
    #[arg(long, env = "ROOKERY_BLOBS", value_name = "URL")]
    pub(crate) blobs: Option<String>,
    /// The address of an S3-compatible server other than Amazon's. `{bucket}` in it stands for the bucket's name; without, the name
    /// is the first part of the path.
    #[arg(long, env = "ROOKERY_BLOBS_ENDPOINT", requires = "blobs", value_name = "URL")]
    pub(crate) blobs_endpoint: Option<String>,
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
    /// Seal every secret under a new master key: a random one in `master.key`, or the one in `ROOKERY_NEW_MASTER_KEY` (Base64 of 32
    /// bytes). May be broken off at any point; the next command says which key it is then.
    Rekey,
}
