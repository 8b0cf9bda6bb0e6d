//! The server's log of slow statements: read, and summed up by what statements have in common.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use rookery_api::mariadb::SlowLogData;

use crate::moments::Moment;

/// The end of a log that is read at most.
const LARGEST: u64 = 64 << 20;
/// How many characters of a statement are shown.
const SHOWN: usize = 2048;

/// One statement that was slow.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) at: Moment,
    user: String,
    host: String,
    pub(crate) database: String,
    query_time: f64,
    lock_time: f64,
    rows_sent: u64,
    rows_examined: u64,
    statement: String,
}

/// The end of a log; empty where nothing was slow yet.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        file => file?,
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LARGEST)))?;
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The entries of a log. What is cut off or not understood is left out.
pub(crate) fn parse(log: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut block: Vec<&str> = Vec::new();
    for line in log.lines() {
        if line.starts_with("# User@Host: ") {
            entries.extend(entry(&block));
            block.clear();
        }
        // The lines of a new file's head, which every start of the server writes, and the time that only some entries have.
        let head =
            line.starts_with("Tcp port: ") || line.starts_with("Time\t") || line.contains(" started with:");
        if !head && !line.starts_with("# Time: ") {
            block.push(line);
        }
    }
    entries.extend(entry(&block));
    entries
}

fn entry(block: &[&str]) -> Option<Entry> {
    let (first, rest) = block.split_first()?;
    let (user, host) = first.strip_prefix("# User@Host: ")?.split_once(" @ ")?;
    let user = user.split('[').next()?.trim();
    // `name [address]`, of which the name is empty where names are not looked up.
    let host = host.split(['[', ']']).nth(1)?;
    let comments: Vec<&str> = rest.iter().take_while(|line| line.starts_with("# ")).copied().collect();
    let number = |name: &str| -> Option<f64> { word(&comments, name)?.parse().ok() };
    let count = |name: &str| -> Option<u64> { word(&comments, name)?.parse().ok() };
    let mut at = None;
    let mut statement = String::new();
    for line in rest.iter().skip(comments.len()) {
        if let Some(seconds) = line.strip_prefix("SET timestamp=").filter(|_| at.is_none()) {
            at = seconds.trim_end_matches(';').parse().ok().map(Moment);
        } else if at.is_some() {
            if !statement.is_empty() {
                statement.push('\n');
            }
            statement.push_str(line);
        }
    }
    let statement = statement.trim().trim_end_matches(';').to_owned();
    (!statement.is_empty()).then_some(Entry {
        at: at?,
        user: user.to_owned(),
        host: host.to_owned(),
        database: word(&comments, "Schema").unwrap_or_default().to_owned(),
        query_time: number("Query_time")?,
        lock_time: number("Lock_time")?,
        rows_sent: count("Rows_sent")?,
        rows_examined: count("Rows_examined")?,
        statement,
    })
}

/// What follows `Name: ` in one of the comments; nothing where the next name follows at once.
fn word<'l>(comments: &[&'l str], name: &str) -> Option<&'l str> {
    comments.iter().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        words.find(|word| word.strip_suffix(':') == Some(name))?;
        words.next().filter(|value| !value.ends_with(':'))
    })
}

/// A statement without its values: texts and numbers are `?`, lists of them one, and space is one space.
pub(crate) fn fingerprint(statement: &str) -> String {
    let mut shape = String::with_capacity(statement.len());
    let mut characters = statement.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            quote @ ('\'' | '"') => {
                while let Some(inner) = characters.next() {
                    if inner == '\\' || (inner == quote && characters.peek() == Some(&quote)) {
                        characters.next();
                    } else if inner == quote {
                        break;
                    }
                }
                value(&mut shape);
            }
            digit
                if digit.is_ascii_digit()
                    && !shape.ends_with(|last: char| last.is_alphanumeric() || "_`$".contains(last)) =>
            {
                while characters.peek().is_some_and(|next| next.is_ascii_alphanumeric() || *next == '.') {
                    characters.next();
                }
                value(&mut shape);
            }
            space if space.is_whitespace() => {
                if !shape.ends_with(' ') {
                    shape.push(' ');
                }
            }
            other => shape.extend(other.to_lowercase()),
        }
    }
    shape.trim().to_owned()
}

/// A value; one more in a list of values is not written.
fn value(shape: &mut String) {
    let before = shape.trim_end();
    if let Some(list) = before.strip_suffix(',')
        && list.trim_end().ends_with('?')
    {
        let kept = list.trim_end().len();
        shape.truncate(kept);
        return;
    }
    shape.push('?');
}

/// Statements of one database and one fingerprint, together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    fingerprint: String,
    entries: Vec<Entry>,
}

pub(crate) fn group(entries: Vec<Entry>) -> Vec<Group> {
    let mut groups: BTreeMap<(String, String), Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        groups.entry((entry.database.clone(), fingerprint(&entry.statement))).or_default().push(entry);
    }
    groups.into_iter().map(|((_, fingerprint), entries)| Group { fingerprint, entries }).collect()
}

impl Group {
    pub(crate) fn count(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn query_time(&self) -> f64 {
        self.entries.iter().map(|entry| entry.query_time).sum()
    }

    pub(crate) fn lock_time(&self) -> f64 {
        self.entries.iter().map(|entry| entry.lock_time).sum()
    }

    /// `None` for a group of nothing, which there is none of.
    pub(crate) fn describe(&self) -> Option<SlowLogData> {
        let slowest = self.entries.iter().max_by(|one, other| one.query_time.total_cmp(&other.query_time))?;
        let times = |of: fn(&Entry) -> f64| Times::of(self.entries.iter().map(of));
        let (query, lock) = (times(|entry| entry.query_time), times(|entry| entry.lock_time));
        let mut hasher = DefaultHasher::new();
        (&slowest.database, &self.fingerprint).hash(&mut hasher);
        Some(SlowLogData {
            check_sum: format!("{:016X}", hasher.finish()),
            db: slowest.database.clone(),
            finger_print: self.fingerprint.chars().take(SHOWN).collect(),
            lock_time_avg: lock.average,
            lock_time_max: lock.most,
            lock_time_min: lock.least,
            lock_time_sum: lock.sum,
            query_count: self.count().to_string(),
            query_time_avg: query.average,
            query_time_max: query.most,
            query_time_min: query.least,
            query_time_sum: query.sum,
            rows_examined_sum: self.entries.iter().map(|entry| entry.rows_examined).sum::<u64>().to_string(),
            rows_sent_sum: self.entries.iter().map(|entry| entry.rows_sent).sum::<u64>().to_string(),
            ts_max: self.entries.iter().map(|entry| entry.at).max()?.text(),
            ts_min: self.entries.iter().map(|entry| entry.at).min()?.text(),
            user: slowest.user.clone(),
            example_sql: slowest.statement.chars().take(SHOWN).collect(),
            host: slowest.host.clone(),
        })
    }
}

/// Seconds, as texts with six decimals.
struct Times {
    sum: String,
    average: String,
    most: String,
    least: String,
}

impl Times {
    fn of(times: impl Iterator<Item = f64>) -> Self {
        let (mut sum, mut count, mut most, mut least) = (0.0, 0.0, 0.0_f64, f64::INFINITY);
        for time in times {
            sum += time;
            count += 1.0;
            most = most.max(time);
            least = least.min(time);
        }
        let text = |seconds: f64| format!("{seconds:.6}");
        Self { sum: text(sum), average: text(sum / count), most: text(most), least: text(least) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOG: &str = "/usr/sbin/mariadbd, Version: 10.11 (Debian). started with:\nTcp port: 3306  Unix socket: s.sock\nTime\t\t    Id Command\tArgument\n\
# Time: 261122 10:49:23\n# User@Host: app[app] @  [127.0.0.1]\n# Thread_id: 5  Schema: d  QC_hit: No\n\
# Query_time: 2.000284  Lock_time: 0.000100  Rows_sent: 1  Rows_examined: 7\n# Rows_affected: 0  Bytes_sent: 56\n\
use d;\nSET timestamp=1795343363;\nSELECT SLEEP(2),\n 'a';\n\
# User@Host: root[root] @ localhost []\n# Thread_id: 6  Schema:   QC_hit: No\n\
# Query_time: 1.5  Lock_time: 0  Rows_sent: 0  Rows_examined: 0\nSET timestamp=1795343364;\nSELECT SLEEP(3), 'b';\n";

    #[test]
    fn entries_are_read_with_their_database_and_lines() {
        let entries = parse(LOG);
        assert_eq!(entries.len(), 2);
        let first = entries.first().unwrap();
        assert_eq!(
            (first.user.as_str(), first.host.as_str(), first.database.as_str()),
            ("app", "127.0.0.1", "d")
        );
        assert_eq!((first.at, first.rows_examined), (Moment(1_795_343_363), 7));
        assert_eq!(first.statement, "SELECT SLEEP(2),\n 'a'");
        assert_eq!(entries.last().unwrap().database, "");
        assert!(parse("# User@Host: cut").is_empty());
    }

    #[test]
    fn statements_that_differ_in_values_are_one() {
        for (statement, shape) in [
            ("SELECT *  FROM t1 WHERE a = 'it''s' AND b=-3.5", "select * from t1 where a = ? and b=-?"),
            ("INSERT INTO t VALUES (1, 2,3)", "insert into t values (?)"),
            (r#"SELECT "a\"b", x'00'"#, "select ?, x?"),
        ] {
            assert_eq!(fingerprint(statement), shape);
        }
        let mut entries = parse(LOG);
        for entry in &mut entries {
            entry.database = "d".to_owned();
        }
        let groups = group(entries);
        assert_eq!(groups.len(), 1);
        let told = groups.first().unwrap().describe().unwrap();
        assert_eq!((told.query_count.as_str(), told.query_time_sum.as_str()), ("2", "3.500284"));
        assert_eq!((told.query_time_max.as_str(), told.lock_time_avg.as_str()), ("2.000284", "0.000050"));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "(?s).{0,400}") {
            let _shape = fingerprint(&text);
            let _entries = parse(&format!("# User@Host: {text}"));
        }
    }
}
