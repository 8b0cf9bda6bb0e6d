//! `rookery serve`: opens the data directory, wires the parts, answers until told to stop.

use std::error::Error;
use std::fs;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rookery_gateway::listen::Listener;
use rookery_gateway::proxy::{Proxy, ServedNames};
use rookery_gateway::rate::Limits;
use rookery_gateway::tls::{CA_FILE, CertificateAuthority};
use rookery_gateway::{Actions, Gateway, Options as GatewayOptions};
use rookery_identity::{Cam, RootKey};
use rookery_kms::Kms;
use rookery_mariadb::{MariaDb, Options as MariaDbOptions, PublicAddress};
use rookery_registry::{Durability, Registry};
use rookery_store::Store;
use rookery_tag::{Holder, Tags};
use rookery_tcr::{Options as TcrOptions, Tcr};
use rookery_world::World;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::commands::{LayerDurability, LogFormat, Serve};
use crate::data_directory::Endpoints;
use crate::front::Front;
use crate::master_key;
use crate::metrics::Metrics;
use crate::migrations;
use crate::never_read::NEVER_READ;
use crate::readiness::Readiness;
use crate::scrub;
use crate::security_groups::GroupsFile;
use crate::telemetry::Telemetry;

type Ended = Result<(), Box<dyn Error>>;

pub(crate) fn run(options: Serve) -> Ended {
    let pinned = check(&options)?;
    let logging = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_new(&options.log)?)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match options.log_format {
        LogFormat::Text => logging.init(),
        LogFormat::Json => logging.json().flatten_event(true).init(),
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(options, pinned))
}

/// What would only fail later, or be unsafe, is refused before anything is made. Gives the root's key where one is pinned.
fn check(options: &Serve) -> Result<Option<RootKey>, Box<dyn Error>> {
    if !options.http.ip().is_loopback() {
        return Err(format!(
            "--http {}: plain HTTP is served on loopback only; use --https for other addresses",
            options.http
        )
        .into());
    }
    if options.mariadb_public_address.is_unspecified() {
        return Err("--mariadb-public-address: name the one address that clients are to use".into());
    }
    if rookery_api::region::find(&options.region).is_none() {
        return Err(format!("--region {}: no such region", options.region).into());
    }
    match (&options.secret_id, &options.secret_key) {
        (Some(id), Some(key)) => Ok(Some(RootKey::new(id.clone(), key.clone())?)),
        _ => Ok(None),
    }
}

async fn serve(options: Serve, pinned: Option<RootKey>) -> Ended {
    // Before anybody is told where the cloud is: who knows may tell it to stop.
    let told_to_stop = StopSignals::new()?;
    let directory = options.directory.data.clone();
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let directory = directory.canonicalize()?;
    let world = World::system();
    let store = migrations::open(&directory)?;
    // Only the process that holds the store may say that a former one no longer answers.
    Endpoints::remove(&directory);

    let http = Listener::bind(options.http).await.map_err(|error| bind_failed(options.http, &error))?;
    let https = Listener::bind(options.https).await.map_err(|error| bind_failed(options.https, &error))?;
    let authority = Arc::new(CertificateAuthority::open_or_create(&directory, world.now())?);
    let names = ServedNames::new(&options.registry_suffix, &[http.address.port(), https.address.port()]);
    let certifies = Some(Arc::clone(&authority));
    let (front, tcr, kms, mariadb) = wire(&options, &directory, pinned, store, &world, certifies).await?;
    mariadb.serve_files_at(&format!("http://{}", http.address));
    let (witness, traced) = (Arc::clone(&front), Arc::clone(&front));
    let proxy =
        Proxy::new(names, Arc::clone(&authority), move |refused| witness.gateway.note_refusal(refused))?;
    let patience = Duration::from_secs(options.client_timeout.get());
    let (http, https) = (http.proxying(proxy).with_patience(patience), https.with_patience(patience));

    let (stop, stopped) = watch::channel(false);
    let endpoints = Endpoints {
        http: format!("http://{}", http.address),
        https: format!("https://{}", https.address),
        registry: http.address.to_string(),
        registry_suffix: options.registry_suffix,
        region: options.region,
        ca: directory.join(CA_FILE),
        pid: std::process::id(),
    };
    let handler = Arc::new(move |request, connection| {
        let front = Arc::clone(&front);
        async move { front.answer(request, connection).await }
    });
    let tasks = [
        tokio::spawn(http.serve(None, Arc::clone(&handler), stopped.clone())),
        tokio::spawn(https.serve(Some(authority.acceptor()?), handler, stopped.clone())),
        tokio::spawn(Registry::clone(&tcr.registry()).run_maintenance(stopped.clone())),
        tokio::spawn(tcr.run_signing_queue(stopped.clone())),
        tokio::spawn(kms.run_timers(stopped.clone())),
        tokio::spawn(mariadb.run(stopped)),
    ];
    endpoints.write(&directory)?;
    announce(&endpoints, &options.directory.data);

    told_to_stop.wait().await;
    Endpoints::remove(&directory);
    tracing::info!("stopping: requests that have begun are finished");
    stop.send_replace(true);
    for task in tasks {
        task.await?;
    }
    if traced.telemetry.is_some() {
        tokio::task::spawn_blocking(move || traced.telemetry.iter().for_each(Telemetry::finish)).await?;
    }
    Ok(())
}

/// The one place where the parts meet.
pub(crate) async fn wire(
    options: &Serve,
    directory: &Path,
    pinned: Option<RootKey>,
    store: Store,
    world: &World,
    authority: Option<Arc<CertificateAuthority>>,
) -> Result<(Arc<Front>, Arc<Tcr>, Arc<Kms>, Arc<MariaDb>), Box<dyn Error>> {
    let seal = master_key::seal(directory, &store).await?;
    let cam = Cam::open(&store, &seal, world, directory, pinned).await?;
    let kms = Kms::new(store.clone(), seal.clone(), world.clone());
    let mut mariadb_options = MariaDbOptions::new(directory);
    mariadb_options.programs.clone_from(&options.mariadb_programs);
    mariadb_options.servers = options.mariadb_servers;
    if let Some(megabytes) = options.mariadb_memory {
        mariadb_options.memory = megabytes << 20;
    }
    mariadb_options.authority = authority;
    mariadb_options.public =
        PublicAddress { ip: options.mariadb_public_address, name: options.mariadb_public_name.clone() };
    if let Some(file) = &options.security_groups {
        mariadb_options.groups = Some(Arc::new(GroupsFile::open(file)?));
    }
    let mariadb = MariaDb::new(mariadb_options, store.clone(), seal.clone(), world.clone())?;
    let mut tcr_options = TcrOptions::new(directory, &options.registry_suffix);
    tcr_options.bucket = scrub::bucket(&options.place)?;
    tcr_options.durability = match options.layer_durability {
        LayerDurability::Strict => Durability::Strict,
        LayerDurability::Relaxed => Durability::Relaxed,
    };
    tcr_options.collect_older_than = time::Duration::seconds(options.gc_window.into());
    tcr_options.tag_retention = time::Duration::seconds(options.tag_retention.into());
    tcr_options.patience = Duration::from_secs(options.client_timeout.get());
    tcr_options.sigstore_bundles = !options.no_sigstore_bundles;
    tcr_options.instances_per_region = options.instance_quota;
    let (signer, identity) = (Arc::clone(&kms) as _, Arc::clone(&cam) as _);
    let state = store.clone();
    let tcr = Tcr::new(tcr_options, store, seal, world.clone(), signer, identity).await?;

    let mut actions = Actions::new();
    actions.extend(rookery_identity::register(&cam));
    actions.extend(rookery_kms::register(&kms));
    actions.extend(rookery_tcr::register(&tcr));
    actions.extend(rookery_mariadb::register(&mariadb));
    // Products that keep the tags of their own resources.
    let holders = vec![
        Arc::clone(&cam) as Arc<dyn Holder>,
        Arc::clone(&kms) as _,
        Arc::clone(&tcr) as _,
        Arc::clone(&mariadb) as _,
    ];
    let tags = Tags::new(state, world.clone(), holders);
    actions.extend(rookery_tag::register(&tags));
    cam.connect_tags(tags);
    actions.never_reading(NEVER_READ);
    let gateway_options = GatewayOptions {
        rates: Limits {
            action: options.rate_limits,
            account: options.account_rate_limit,
            account_everywhere: options.account_rate_limit_everywhere,
            address: options.ip_rate_limit,
        },
        replay_guard: options.replay_guard,
        traces: options.traces,
        allow: options.allow_ip.clone(),
        deny: options.deny_ip.clone(),
    };
    let gateway = Gateway::new(world.clone(), Arc::clone(&cam) as _, actions, gateway_options);
    let front = Front {
        gateway,
        world: world.clone(),
        registry: tcr.registry(),
        tcr: Arc::clone(&tcr),
        cam,
        mariadb: Arc::clone(&mariadb),
        metrics: Metrics::new(),
        readiness: Readiness::default(),
        access_log: options.access_log,
        telemetry: Telemetry::start(options.otlp.as_deref())?,
    };
    Ok((Arc::new(front), tcr, kms, mariadb))
}

fn bind_failed(address: SocketAddr, error: &std::io::Error) -> String {
    format!("{address}: {error}; choose another address with --http and --https (port 0 takes a free one)")
}

/// Says where the cloud is, where its keys are, and five things to try.
fn announce(endpoints: &Endpoints, data: &Path) {
    let program = std::env::args().next().unwrap_or_else(|| "rookery".to_owned());
    let (data, registry) = (data.display(), &endpoints.registry);
    println!(
        "Rookery answers at {} and {}; `docker login` takes {registry}",
        endpoints.http, endpoints.https
    );
    println!("Keys, in another shell:  eval \"$({program} env --data {data})\"");
    println!("  1  tccli sts GetCallerIdentity --endpoint \"$ROOKERY_ENDPOINT\"");
    println!(
        "  2  tccli tcr CreateInstance --endpoint \"$ROOKERY_ENDPOINT\" --RegistryName demo --RegistryType premium"
    );
    println!(
        "  3  tccli kms CreateKey --endpoint \"$ROOKERY_ENDPOINT\" --Alias signer --KeyUsage ASYMMETRIC_SIGN_VERIFY_RSA_2048"
    );
    println!(
        "  4  skopeo copy --dest-tls-verify=false oci:app docker://$ROOKERY_REGISTRY/demo/library/app:1"
    );
    println!("  5  {program} trace --data {data}      what was asked, and how it was answered");
}

/// An interrupt or a termination.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use rookery_gateway::{
        Account, Caller, Circumstances, Decision, Language, Place, Principal, Question, RequestId,
    };

    use super::*;
    use crate::commands::{Cli, Command};

    async fn everything(directory: &Path) -> Arc<Front> {
        let data = directory.to_str().unwrap();
        let Command::Serve(options) = Cli::parse_from(["rookery", "serve", "--data", data]).command else {
            panic!("the command is serve")
        };
        let store = Store::open(directory).unwrap();
        wire(&options, directory, None, store, &World::system(), None).await.unwrap().0
    }

    /// Whatever is registered anywhere comes by here, so no action can be forgotten.
    #[tokio::test]
    async fn every_registered_action_asks_for_a_permission() {
        let directory = tempfile::tempdir().unwrap();
        let front = everything(directory.path()).await;
        let world = World::system();
        let account = Account { uin: 100_000_000_001, app_id: 1 };
        let user = Principal::User { uin: 100_100_000_001, name: "nobody".into() };
        let place = Place {
            caller: Caller::new(account, user, "AKIDnobody"),
            region: "ap-guangzhou".to_owned(),
            language: Language::English,
            request_id: RequestId(world.uuid()),
            circumstances: Circumstances::inside(world.now()),
        };
        let identity = front.gateway.identity();
        let mut walked = 0;
        for (product, action, touched) in front.gateway.actions().touched(&place) {
            let name = format!("{}:{}", product.name, action.name);
            let resources = touched.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!resources.is_empty(), "{name} declares no resource, so it could not be refused");
            for resource in &resources {
                assert!(
                    resource == "*" || resource.splitn(6, ':').count() == 6,
                    "{name}: {resource} is no name of a resource"
                );
            }
            let question = Question {
                operation: &name,
                resources: &resources,
                resource_tags: &[],
                request_tags: &[],
                circumstances: place.circumstances,
            };
            let decision = identity.decide(&place.caller, &question);
            let refused = matches!(decision, Decision::Denied { .. });
            assert!(refused, "{name} is allowed to a user who is not there");
            walked += 1;
        }
        assert!(walked > 0);
    }
}
