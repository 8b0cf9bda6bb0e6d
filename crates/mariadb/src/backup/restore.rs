//! Instances that begin with another's state of a moment: temporary ones, and new ones that stay.
//!
//! Everything is done in a directory of its own under the new instance, which an attempt that was cut off leaves to the next. It begins
//! by giving the backup and the logs second names in there, so nothing that happens to the other instance disturbs it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rookery_api::mariadb::ErrorCode;
use rookery_store::{Read, Regional};
use rookery_supervisor::Program;

use crate::MariaDb;
use crate::accounts::{self, AccountRow, Name};
use crate::backup::archive::surplus;
use crate::backup::replay;
use crate::backup::taking::present;
use crate::backup::tools;
use crate::error::Error;
use crate::flows::{self, Work};
use crate::instances::{self, ById, Initial, InstanceRow, Instances, Origin, Phase};
use crate::moments::Moment;
use crate::ordering::{Order, room};
use crate::replication::{REPLICA, REPLICA_HOST};
use crate::security::Encryption;
use crate::server::{self, Answers};
use crate::sql;

/// How long a temporary instance stays, which is ours to choose: two days.
const STAYS: time::Duration = time::Duration::hours(48);
/// How the directories of attempts begin.
const ATTEMPT: &str = "restoring-";
/// The packets of a replay are those of the server that wrote the logs, whatever it allowed.
const LARGEST_PACKET: &str = "max_allowed_packet = 1G\n";

/// The name of the process that replays for an instance. It is no node's, so one that a former process left is ended.
fn process(id: &str) -> String {
    format!("{id}.restore")
}

/// From when to when an instance can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: Moment,
    pub(crate) to: Moment,
}

/// What a new instance takes over from the one that it begins with.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    origin: Origin,
    initial: Initial,
    parameters: BTreeMap<String, String>,
    encryption: Option<Encryption>,
}

impl Seed {
    pub(crate) fn begin(&self, row: InstanceRow) -> InstanceRow {
        let Self { origin, initial, parameters, encryption } = self.clone();
        let sync_mode = initial.sync_mode;
        let row = InstanceRow { origin: Some(origin), initial: Some(initial), parameters, sync_mode, ..row };
        with_key(row, encryption)
    }
}

/// What another instance's key has encrypted needs that key.
fn with_key(mut row: InstanceRow, encryption: Option<Encryption>) -> InstanceRow {
    row.security.encryption = encryption;
    row
}

impl MariaDb {
    /// The moments that an instance can be restored to; none before its first backup.
    pub(crate) fn restorable_range(&self, id: &str, row: &InstanceRow) -> Result<Range, Error> {
        let now = self.now();
        let from = self.restorable(id, row)?.first().map(|backup| backup.ended).ok_or_else(|| {
            Error::refuse(
                ErrorCode::FailedOperationLogNotExisted,
                format!("The instance `{id}` has no backup yet, so there is no moment that it could be restored to."),
                format!("实例 `{id}` 尚无备份，没有可回档的时间。"),
            )
        })?;
        // This second is not over, so what belongs to it is not known yet.
        let mut to = now.plus(time::Duration::seconds(-1));
        if row.phase == Phase::Isolated {
            let logs = self.logs(id, row.primary_node()?)?;
            to = logs.last().map_or(from, |log| log.written);
        }
        Ok(Range { from, to: to.max(from) })
    }

    /// Refuses a moment that an instance cannot be restored to.
    pub(crate) fn check_moment(&self, id: &str, row: &InstanceRow, text: &str) -> Result<Moment, Error> {
        if row.temporary_until().is_some() {
            return Err(Error::state(id, "temporary"));
        }
        self.tools()?;
        let moment = Moment::parse(text).ok_or_else(|| {
            illegal_time(
                "`RollbackTime` must have the form 2026-01-31 23:59:59.",
                "`RollbackTime` 的格式须为 2026-01-31 23:59:59。",
            )
        })?;
        let Range { from, to } = self.restorable_range(id, row)?;
        if from <= moment && moment <= to {
            return Ok(moment);
        }
        let (from, to) = (from.text(), to.text());
        Err(illegal_time(
            &format!("`RollbackTime` must be from {from} to {to}."),
            &format!("`RollbackTime` 须在 {from} 至 {to} 之间。"),
        ))
    }

    /// What a new instance begins with that is to have the state of another's moment. Initial parameters may be given once more, but what
    /// is in the data cannot be changed by them.
    pub(crate) fn seed(
        &self,
        scope: &Regional,
        source: &str,
        moment: &str,
        wanted: Option<&Initial>,
    ) -> Result<Seed, Error> {
        let source = instances::clean(source).to_owned();
        let row = self.store.read(|view| instances::usable(view, scope, &source))?;
        let moment = self.check_moment(&source, &row, moment)?;
        let initial = row.initial.ok_or(Error::Inconsistent("a running instance has initial parameters"))?;
        let sync_mode = wanted.map_or(initial.sync_mode, |wanted| wanted.sync_mode);
        let initial = Initial { sync_mode, ..initial };
        if wanted.is_some_and(|wanted| *wanted != initial) {
            return Err(Error::refuse(
                ErrorCode::InvalidParameterValueIllegalInitParam,
                format!("The initial parameters must be those of the instance `{source}`."),
                format!("初始化参数须与实例 `{source}` 一致。"),
            ));
        }
        Ok(Seed {
            origin: Origin { source, moment, until: None },
            initial,
            parameters: row.parameters,
            encryption: row.security.encryption,
        })
    }

    /// Writes a temporary instance for each of the instances, and the flow that restores them.
    pub(crate) async fn create_temporary(
        self: &Arc<Self>,
        scope: Regional,
        sources: Vec<String>,
        moment: &str,
    ) -> Result<u64, Error> {
        let now = self.now();
        let mut fresh = Vec::new();
        let all: Vec<_> = self.store.read(|view| view.scan_all::<Instances>())?;
        let mut used: Vec<_> = all.iter().flat_map(|(_, _, row)| row.loopback_addresses()).collect();
        for source in sources {
            let row = self.store.read(|view| instances::usable(view, &scope, &source))?;
            let moment = self.check_moment(&source, &row, moment)?;
            let id = self.world.identifier("tdsql-", 8);
            let order = Order {
                zones: vec![row.primary_node()?.zone.clone()],
                node_count: 1,
                memory: row.memory,
                storage: row.storage,
                project: Some(row.project),
                vpc: Some(row.vpc.clone()),
                subnet: Some(row.subnet.clone()),
                version: Some(row.version.clone()),
                security_groups: Some(row.security_groups.clone()),
                ..Order::default()
            };
            let origin = Origin { source, moment, until: Some(now.plus(STAYS)) };
            let made = self.row(&order, &id, row.initial.clone(), &used, now)?;
            let made = InstanceRow { parameters: row.parameters, origin: Some(origin), ..made };
            let made = with_key(made, row.security.encryption);
            used.extend(made.loopback_addresses());
            fresh.push((id, made));
        }
        let limits = (self.limits.processes, self.limits.memory);
        let flow = self
            .store
            .write(move |tx| {
                let rows = tx.scan_all::<Instances>()?;
                room(rows.iter().map(|(_, _, row)| row).chain(fresh.iter().map(|(_, row)| row)), limits)?;
                for (id, row) in &fresh {
                    let source = row.origin.as_ref().map(|origin| origin.source.clone()).unwrap_or_default();
                    instances::usable(tx, &scope, &source)?;
                    if let Some((_, other, _)) = rows.iter().find(|(_, _, row)| is_temporary_of(row, &source))
                    {
                        return Err(exists(&source, other));
                    }
                    let number = flows::count(tx, "instance")?;
                    tx.put::<Instances>(&scope, id, &InstanceRow { number, ..row.clone() })?;
                }
                let ids: Vec<String> = fresh.iter().map(|(id, _)| id.clone()).collect();
                flows::begin(tx, &scope, &ids, &Work::Create)
            })
            .await?;
        self.work(flow);
        Ok(flow)
    }

    /// Gives the nodes of a new instance the data that its origin had at its moment. What is there stays.
    pub(crate) async fn restore_origin(
        &self,
        id: &str,
        row: &InstanceRow,
        origin: &Origin,
    ) -> Result<(), Error> {
        if row.nodes.iter().all(|node| self.places.data(id, node).exists()) {
            return Ok(());
        }
        self.tidy_attempts(id)?;
        let attempt = self.places.instance(id).join(format!("{ATTEMPT}{}", self.world.uuid().simple()));
        let restored = self.restore_in(id, row, origin, &attempt).await;
        self.supervisor.stop(&process(id)).await;
        self.tidy_attempts(id)?;
        if restored.is_err() {
            self.remove_key(id);
        }
        restored
    }

    /// Removes what attempts have left.
    pub(crate) fn tidy_attempts(&self, id: &str) -> Result<(), Error> {
        for entry in present(&self.places.instance(id))? {
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(ATTEMPT)) {
                server::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    async fn restore_in(
        &self,
        id: &str,
        row: &InstanceRow,
        origin: &Origin,
        attempt: &Path,
    ) -> Result<(), Error> {
        let (archive, logs) = self.gather(origin, attempt)?;
        let data = attempt.join("data");
        server::private_directory(&data)?;
        self.unpack(&archive, &data).await?;
        let position = replay::position(&data)?;
        self.prepare(&self.tools()?.backup, &data).await?;
        replay::tidy(&data)?;
        self.place_key(id, row)?;
        let program = self.replaying(id, row, attempt, &data)?;
        self.supervisor.start(&process(id), program).await?;
        self.replay(&data, &position, &logs, origin.moment).await?;
        self.adopt(id, origin, &data).await?;
        self.supervisor.stop(&process(id)).await;
        let targets: Vec<_> = row.nodes.iter().map(|node| self.places.data(id, node)).collect();
        let placing = tokio::task::spawn_blocking(move || place(&data, &targets));
        Ok(placing.await.map_err(|_| Error::Inconsistent("copying restored data panicked"))??)
    }

    /// Gives the newest backup before the moment, and the logs since, names in the directory of the attempt.
    fn gather(&self, origin: &Origin, attempt: &Path) -> Result<(PathBuf, Vec<PathBuf>), Error> {
        let id = origin.source.as_str();
        let (_, _, source) = self
            .store
            .read(|view| view.find::<ById>(id))?
            .ok_or(Error::Inconsistent("the instance that is to be restored from is gone"))?;
        let backups = self.restorable(id, &source)?;
        let backup = backups.into_iter().rfind(|backup| backup.ended <= origin.moment);
        let backup = backup.ok_or(Error::Inconsistent("there is no backup of a time before the moment"))?;
        server::private_directory(&attempt.join("logs"))?;
        let archive = attempt.join(&backup.file);
        fs::hard_link(self.backup_directory(id).join(&backup.file), &archive)?;
        let mut logs = Vec::new();
        let kept = self.logs(id, source.primary_node()?)?;
        for log in kept.iter().skip(surplus(&kept, backup.begun)) {
            let name = attempt.join("logs").join(&log.name);
            fs::hard_link(&log.path, &name)?;
            logs.push(name);
        }
        Ok((archive, logs))
    }

    async fn unpack(&self, archive: &Path, data: &Path) -> Result<(), Error> {
        let (reader, mut writer) = io::pipe()?;
        let mut command = self.tool(&self.tools()?.unpack);
        let child = command.arg("-x").arg("-C").arg(data).stdin(Stdio::from(reader)).spawn()?;
        drop(command);
        let file = File::open(archive)?;
        let decompressing = tokio::task::spawn_blocking(move || {
            let mut frames = lz4_flex::frame::FrameDecoder::new(io::BufReader::with_capacity(1 << 20, file));
            io::copy(&mut frames, &mut writer).map(drop)
        });
        let (unpacked, decompressed) = tokio::join!(tools::succeeds("mbstream", child), decompressing);
        unpacked?;
        Ok(decompressed.map_err(|_| Error::Inconsistent("decompressing a backup panicked"))??)
    }

    /// The server that replays: as the instance's first node, but without logs of its own and without an address.
    fn replaying(&self, id: &str, row: &InstanceRow, attempt: &Path, data: &Path) -> Result<Program, Error> {
        let installed = self.installation()?;
        let (Some(node), Some(initial)) = (row.nodes.first(), &row.initial) else {
            return Err(Error::Inconsistent("an instance without its initial parameters has no servers"));
        };
        let key = self.places.key(id);
        let protection = row.security.options(&self.places.certificates(id), &key);
        let mut text = server::options_file(&installed, row, node, initial, data, &protection);
        text.push_str("skip_log_bin\nskip_networking = ON\nslow_query_log = OFF\n");
        text.push_str(LARGEST_PACKET);
        let options = attempt.join("my.cnf");
        server::write_private(&options, &text)?;
        server::private_directory(&attempt.join(server::TEMPORARY))?;
        Ok(Program {
            executable: installed.server.clone(),
            arguments: vec![format!("--defaults-file={}", options.display()).into()],
            directory: data.to_owned(),
            logs: attempt.to_owned(),
            memory: server::node_memory(row.memory),
            addresses: Vec::new(),
            ready_within: server::READY_WITHIN,
            stop_within: Duration::from_secs(30),
            probe: Arc::new(Answers { data: data.to_owned(), user: installed.user }),
        })
    }

    /// Makes the restored server's accounts and its place in replication those of the new instance.
    async fn adopt(&self, id: &str, origin: &Origin, data: &Path) -> Result<(), Error> {
        let user = self.installation()?.user;
        let mut server = sql::Connection::open(data, server::SOCKET, &user).await?;
        // Its password is the other instance's; arranging the nodes makes it anew. Its history begins here.
        server.run(&format!("DROP USER IF EXISTS {}", sql::account(REPLICA, REPLICA_HOST))).await?;
        server.run("SET GLOBAL gtid_slave_pos = ''").await?;
        let users = server.query("SELECT User, Host FROM mysql.user WHERE is_role = 'N'").await?;
        let users: Vec<Name> = users
            .rows
            .iter()
            .map(|row| Name::of(&users.cell(row, "User"), &users.cell(row, "Host")))
            .filter(|name| !accounts::is_reserved(&name.user, &user))
            .collect();
        let (id, source, now) = (id.to_owned(), origin.source.clone(), self.now());
        self.store
            .write(move |tx| {
                accounts::forget_instance(tx, &id)?;
                for name in users.clone() {
                    // One that was deleted since the moment is there again, without what was kept beside it.
                    let known = accounts::find(tx, &source, &name)?;
                    let Name { user, host } = name;
                    let (description, read_only) = (String::new(), 0);
                    let fresh = AccountRow {
                        user,
                        host,
                        description,
                        read_only,
                        delay: 0,
                        fixed: false,
                        created: now,
                        updated: now,
                    };
                    accounts::put(tx, &id, &known.unwrap_or(fresh))?;
                }
                Ok(())
            })
            .await
    }
}

/// Whether a row is a temporary instance of that one.
pub(crate) fn is_temporary_of(row: &InstanceRow, source: &str) -> bool {
    row.origin.as_ref().is_some_and(|origin| origin.until.is_some() && origin.source == source)
}

fn exists(source: &str, temporary: &str) -> Error {
    Error::refuse(
        ErrorCode::ResourceInUseTempInstanceExist,
        format!("The instance `{source}` has the temporary instance `{temporary}` already."),
        format!("实例 `{source}` 已有临时实例 `{temporary}`。"),
    )
}

fn illegal_time(english: &str, chinese: &str) -> Error {
    Error::refuse(ErrorCode::InvalidParameterIllegalTime, english, chinese)
}

/// Copies the data for all but the first server, and gives them to that one.
fn place(data: &Path, targets: &[PathBuf]) -> io::Result<()> {
    // An attempt that was cut off in here has left some of them.
    for target in targets {
        server::remove(target)?;
        if let Some(parent) = target.parent() {
            server::private_directory(parent)?;
        }
    }
    for target in targets.iter().skip(1) {
        let unfinished = target.with_extension("new");
        server::remove(&unfinished)?;
        server::copy(data, &unfinished)?;
        fs::rename(&unfinished, target)?;
    }
    match targets.first() {
        Some(first) => fs::rename(data, first),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rookery_gateway::Refusal as _;

    use super::*;

    #[test]
    fn every_server_gets_the_data_and_none_of_an_earlier_attempt() {
        let place_of = tempfile::tempdir().unwrap();
        let root = place_of.path();
        let data = root.join("attempt/data");
        fs::create_dir_all(data.join("shop")).unwrap();
        fs::write(data.join("shop/t.ibd"), "rows").unwrap();
        let targets = vec![root.join("a/data"), root.join("b/data")];
        fs::create_dir_all(root.join("b/data/old")).unwrap();
        place(&data, &targets).unwrap();
        for target in targets {
            assert_eq!(fs::read_to_string(target.join("shop/t.ibd")).unwrap(), "rows");
            assert!(!target.join("old").exists());
        }
        assert!(!data.exists());
    }

    #[test]
    fn without_its_tools_nothing_is_restored() {
        let place = tempfile::tempdir().unwrap();
        let programs = place.path().join("programs");
        fs::create_dir(&programs).unwrap();
        let options = crate::Options { programs: Some(programs), ..crate::Options::new(place.path()) };
        let seal = rookery_seal::Seal::ephemeral().unwrap();
        let (store, world) = (rookery_store::Store::in_memory(), rookery_world::World::system());
        let mariadb = MariaDb::new(options, store, seal, world).unwrap();
        let asked =
            |row: &InstanceRow| mariadb.check_moment("tdsql-a", row, "2026-01-31 23:59:59").unwrap_err();
        let refused = asked(&InstanceRow::sample());
        assert_eq!(refused.code(), ErrorCode::ResourceInsufficient);
        assert!(refused.to_string().ends_with(tools::INSTALL));
        let origin = Origin { source: "tdsql-b".to_owned(), moment: Moment(1), until: Some(Moment(2)) };
        let temporary = InstanceRow { origin: Some(origin), ..InstanceRow::sample() };
        assert_eq!(asked(&temporary).code(), ErrorCode::ResourceUnavailableInstanceStatusAbnormal);
        assert!(mariadb.restorable_range("tdsql-a", &InstanceRow::sample()).is_err(), "there is no backup");
    }

    #[test]
    fn temporary_instances_are_known_by_their_origin() {
        let origin = |until| Some(Origin { source: "tdsql-a".to_owned(), moment: Moment(1), until });
        let temporary = InstanceRow { origin: origin(Some(Moment(9))), ..InstanceRow::sample() };
        assert!(is_temporary_of(&temporary, "tdsql-a") && !is_temporary_of(&temporary, "tdsql-b"));
        let stays = InstanceRow { origin: origin(None), ..InstanceRow::sample() };
        assert!(!is_temporary_of(&stays, "tdsql-a") && stays.ends().is_none());
        assert_eq!(temporary.ends(), Some(Moment(9)));
    }
}
