//! Real processes: shells that say, in a file, that they are ready.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::ownership::{Identity, Record};

/// Ready as soon as the file is there.
struct FileExists(PathBuf);

impl Probe for FileExists {
    fn ready(&self) -> Readiness<'_> {
        Box::pin(async { self.0.exists() })
    }
}

struct Scene {
    directory: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn supervisor(&self) -> Arc<Supervisor> {
        let limits = Limits { processes: 2, memory: 100 };
        Arc::new(Supervisor::open(&self.directory.path().join("owned"), limits).unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A shell that runs `script` in the scene's directory and is ready once `./ready` exists.
    fn shell(&self, script: &str) -> Program {
        Program {
            executable: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            directory: self.directory.path().to_owned(),
            logs: self.path("logs"),
            memory: 40,
            addresses: Vec::new(),
            ready_within: Duration::from_secs(30),
            stop_within: Duration::from_secs(30),
            probe: Arc::new(FileExists(self.path("ready"))),
        }
    }

    fn ownership(&self, name: &str) -> Ownership {
        Ownership::at(&self.path("owned"), name)
    }
}

fn pid(supervisor: &Supervisor, name: &str) -> u32 {
    match supervisor.state(name) {
        State::Ready { pid } => pid,
        other => panic!("{name} is {other:?}"),
    }
}

fn alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "never: {what}");
}

const SERVE: &str = "echo said; touch ready; exec sleep 1000";

#[tokio::test]
async fn it_runs_is_captured_and_stops_without_a_trace() {
    let scene = Scene::new();
    let supervisor = scene.supervisor();
    supervisor.start("a", scene.shell(SERVE)).await.unwrap();
    let pid = pid(&supervisor, "a");
    assert!(alive(pid));
    assert_eq!(fs::read_to_string(scene.path("logs/stdout.log")).unwrap(), "said\n");
    assert_eq!(supervisor.recorded().unwrap(), ["a"]);
    supervisor.start("a", scene.shell(SERVE)).await.unwrap();
    assert_eq!(self::pid(&supervisor, "a"), pid, "the same program once more changes nothing");
    supervisor.stop("a").await;
    assert!(!alive(pid));
    assert!(supervisor.recorded().unwrap().is_empty());
    assert_eq!(supervisor.state("a"), State::Stopped);
}

#[tokio::test]
async fn what_ends_by_itself_is_started_again() {
    let scene = Scene::new();
    let supervisor = scene.supervisor();
    supervisor.start("a", scene.shell(SERVE)).await.unwrap();
    let first = pid(&supervisor, "a");
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(first).unwrap()).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    until("it runs again", || matches!(supervisor.state("a"), State::Ready { pid } if pid != first)).await;
    supervisor.stop_all().await;
    assert!(supervisor.recorded().unwrap().is_empty());
}

#[tokio::test]
async fn what_does_not_end_when_asked_is_killed() {
    let scene = Scene::new();
    let supervisor = scene.supervisor();
    let mut stubborn = scene.shell("trap '' TERM; touch ready; exec sleep 1000");
    stubborn.stop_within = Duration::from_millis(50);
    supervisor.start("a", stubborn).await.unwrap();
    let pid = pid(&supervisor, "a");
    supervisor.stop("a").await;
    assert!(!alive(pid));
}

#[tokio::test]
async fn nothing_is_started_once_all_is_being_stopped() {
    let scene = Scene::new();
    let supervisor = scene.supervisor();
    supervisor.start("one", scene.shell(SERVE)).await.unwrap();
    let (all, late) = tokio::join!(supervisor.stop_all(), supervisor.start("two", scene.shell(SERVE)));
    assert!(matches!(late, Err(StartError::Closed)), "{late:?}");
    assert!(matches!(supervisor.start("one", scene.shell(SERVE)).await, Err(StartError::Closed)));
    assert_eq!((all, supervisor.recorded().unwrap()), ((), Vec::new()));
}

#[tokio::test]
async fn a_start_that_is_deaf_is_not_waited_for_as_long_as_a_program_that_works() {
    let scene = Scene::new();
    let supervisor = scene.supervisor();
    let deaf = Program {
        stop_within: Duration::from_hours(1),
        ..scene.shell("trap '' TERM; touch began; while :; do sleep 0.1; done")
    };
    let starting = Arc::clone(&supervisor);
    let start = tokio::spawn(async move { starting.start("one", deaf).await });
    until("it began", || scene.path("began").exists()).await;
    supervisor.stop("one").await;
    assert!(matches!(start.await.unwrap(), Err(StartError::Superseded)));
    assert_eq!(supervisor.recorded().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_stop_ends_a_start() {
    let scene = Scene::new();
    let supervisor = scene.supervisor();
    let starting = {
        let (supervisor, program) = (Arc::clone(&supervisor), scene.shell("touch begun; exec sleep 1000"));
        tokio::spawn(async move { supervisor.start("a", program).await })
    };
    until("the process began", || scene.path("begun").exists()).await;
    let process = scene.ownership("a").read().unwrap().unwrap().process.unwrap();
    supervisor.stop("a").await;
    assert!(matches!(starting.await.unwrap(), Err(StartError::Superseded)));
    assert!(!alive(process.pid) && supervisor.recorded().unwrap().is_empty());
}

#[tokio::test]
async fn what_never_becomes_ready_is_told_and_tried_again() {
    let scene = Scene::new();
    let supervisor = scene.supervisor();
    let refused = supervisor.start("a", scene.shell("echo out of order >&2; exit 3")).await.unwrap_err();
    let words = refused.to_string();
    assert!(words.contains("before it was ready") && words.contains("out of order"), "{words}");
    let mut slow = scene.shell("exec sleep 1000");
    slow.ready_within = Duration::from_millis(30);
    assert!(supervisor.start("a", slow).await.unwrap_err().to_string().contains("not ready within"));
    supervisor.start("a", scene.shell(SERVE)).await.unwrap();
    let mut absent = scene.shell(SERVE);
    absent.executable = scene.path("absent");
    assert!(matches!(supervisor.start("b", absent).await, Err(StartError::NotReady(_))));
    supervisor.stop_all().await;
    assert!(supervisor.recorded().unwrap().is_empty());
}

#[tokio::test]
async fn limits_and_taken_addresses_are_refused_before_anything_is_made() {
    let scene = Scene::new();
    let supervisor = scene.supervisor();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap();
    let listening = Program { addresses: vec![taken], ..scene.shell(SERVE) };
    assert!(matches!(
        supervisor.start("a", listening.clone()).await,
        Err(StartError::Address { address, .. }) if address == taken
    ));
    drop(listener);
    supervisor.start("a", listening.clone()).await.unwrap();
    // The shell does not really listen, but the address is promised to it.
    assert!(matches!(supervisor.start("b", listening).await, Err(StartError::Address { .. })));
    let greedy = Program { memory: 61, ..scene.shell(SERVE) };
    assert!(matches!(
        supervisor.start("b", greedy).await,
        Err(StartError::Memory { asked: 61, free: 60, limit: 100 })
    ));
    let small = Program { memory: 1, ..scene.shell(SERVE) };
    supervisor.start("b", small.clone()).await.unwrap();
    assert!(matches!(supervisor.start("c", small).await, Err(StartError::TooMany { limit: 2 })));
    assert_eq!(supervisor.recorded().unwrap(), ["a", "b"]);
    supervisor.stop_all().await;
}

/// Runs `work` under a runtime that then vanishes with all its tasks, as a killed process would.
fn crashing(work: impl Future<Output = ()> + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(work);
    runtime.shutdown_background();
}

#[test]
fn the_next_supervisor_adopts_what_the_former_left() {
    let scene = Scene::new();
    let former = scene.supervisor();
    let program = scene.shell(SERVE);
    crashing(async move { former.start("a", program).await.unwrap() });
    let left = scene.ownership("a").read().unwrap().unwrap().process.unwrap();
    assert!(alive(left.pid));
    assert_eq!(left_running(&scene.path("owned")).unwrap(), ["a"]);

    let (next, program) = (scene.supervisor(), scene.shell(SERVE));
    crashing(async move {
        next.start("a", program).await.unwrap();
        assert_eq!(pid(&next, "a"), left.pid);
    });
    let (last, other) = (scene.supervisor(), scene.shell("echo other; touch ready; exec sleep 1000"));
    crashing(async move {
        last.start("a", other).await.unwrap();
        assert_ne!(pid(&last, "a"), left.pid, "another program takes its place");
        assert!(!alive(left.pid));
        last.stop("a").await;
    });
    assert!(scene.supervisor().recorded().unwrap().is_empty());
    assert!(left_running(&scene.path("owned")).unwrap().is_empty());
}

#[tokio::test]
async fn a_crash_between_spawn_and_record_leaves_no_orphan() {
    let scene = Scene::new();
    let record = Record { token: "d41d8cd98f00".to_owned(), fingerprint: 1, process: None };
    scene.supervisor();
    scene.ownership("a").write(&record).unwrap();
    let mut orphan = std::process::Command::new("/bin/sleep")
        .arg("1000")
        .env(TOKEN_VARIABLE, &record.token)
        .spawn()
        .unwrap();
    let supervisor = scene.supervisor();
    assert_eq!(supervisor.recorded().unwrap(), ["a"]);
    // The environment is there once it runs its program.
    until("the orphan is found", || left_running(&scene.path("owned")).unwrap() == ["a"]).await;
    supervisor.stop("a").await;
    assert!(!alive(orphan.id()));
    orphan.wait().unwrap();
    // And where there never was a process, nothing is in the way.
    scene.ownership("b").write(&Record { token: "none carries this".to_owned(), ..record }).unwrap();
    assert!(left_running(&scene.path("owned")).unwrap().is_empty());
    supervisor.stop("b").await;
    assert!(supervisor.recorded().unwrap().is_empty());
}

#[tokio::test]
async fn a_stranger_with_the_number_of_a_former_child_is_left_alone() {
    let scene = Scene::new();
    let mut stranger = std::process::Command::new("/bin/sleep").arg("1000").spawn().unwrap();
    let identity = Identity { pid: stranger.id(), start_time: 1 };
    let supervisor = scene.supervisor();
    let record = Record { token: "x".to_owned(), fingerprint: 1, process: Some(identity) };
    scene.ownership("a").write(&record).unwrap();
    supervisor.stop("a").await;
    assert!(alive(stranger.id()) && supervisor.recorded().unwrap().is_empty());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}
