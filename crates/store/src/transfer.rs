//! Export and import: the whole state as lines of JSON that a person can read and a script can write.
//!
//! ```text
//! {"rookery_state":1,"schema":0}                                        the format, and the schema version
//! {"table":"tcr.instances","key":"00…","row":{"Name":"build"}}          a row; the key is scope and key, hexadecimal
//! {"table":"tcr.instances","index":"id","key":"7463…"}                  an index entry
//! {"entries":2}                                                         the end: a file cut short is refused
//! ```

use std::borrow::Cow;
use std::io::{BufRead, Write};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::error::{StoreError, TransferError};
use crate::migration::{SCHEMA_KEY, read_version, version_of};
use crate::read::{Raw, visit_all};
use crate::snapshot::Entries;
use crate::store::Store;
use crate::table::{ROWS, every_table, index_of, is_name, rows_named, split_name};

/// The version of the format of the lines themselves.
const FORMAT: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    rookery_state: u64,
    schema: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Footer {
    entries: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'l> {
    #[serde(borrow)]
    table: Cow<'l, str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    index: Option<Cow<'l, str>>,
    key: String,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    row: Option<&'l RawValue>,
}

/// A row that holds nothing is written as `null`, and is a row all the same.
fn present<'de, D>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error>
where
    D: Deserializer<'de>,
{
    Deserialize::deserialize(deserializer).map(Some)
}

impl Store {
    /// Writes every row and index entry of a consistent snapshot to `out`; returns how many.
    pub fn export(&self, out: &mut impl Write) -> Result<u64, TransferError> {
        let view = self.view()?;
        let schema = view.raw().0.get(SCHEMA_KEY)?.map(|bytes| read_version(&bytes)).transpose()?;
        let schema = schema.unwrap_or(version_of(self.migrations()));
        write_line(out, &Header { rookery_state: FORMAT, schema })?;
        let mut entries = 0;
        visit_all(view.raw(), &every_table(), |key, value| {
            entries += 1;
            export_entry(key, value, out)
        })?;
        write_line(out, &Footer { entries })?;
        out.flush()?;
        Ok(entries)
    }

    /// Replaces the whole state by what an [`export`](Store::export) wrote, with the migrations that it needs; returns
    /// how many entries it had. All of it is held in memory until it is kept together.
    pub async fn import(&self, input: impl BufRead) -> Result<u64, TransferError> {
        let (schema, entries) = read_export(input)?;
        let number = entries.len() as u64;
        self.replace(schema, entries).await?;
        Ok(number)
    }
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> Result<(), TransferError> {
    serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

fn export_entry(stored: &[u8], value: &[u8], out: &mut impl Write) -> Result<(), TransferError> {
    let damaged = |what: &str| StoreError::Damaged {
        table: String::from_utf8_lossy(stored).into_owned(),
        what: what.to_owned(),
    };
    let (table, kind, rest) = split_name(stored).ok_or_else(|| damaged("no table's name"))?;
    let line = if kind == ROWS {
        let row = serde_json::from_slice(value).map_err(|error| StoreError::Damaged {
            table: table.to_owned(),
            what: format!("a row: {error}"),
        })?;
        Line { table: table.into(), index: None, key: hex::encode(rest), row: Some(row) }
    } else {
        let (index, _, key) = split_name(rest).ok_or_else(|| damaged("no index's name"))?;
        Line { table: table.into(), index: Some(index.into()), key: hex::encode(key), row: None }
    };
    write_line(out, &line)
}

/// The schema version and the entries of an export.
fn read_export(input: impl BufRead) -> Result<(u64, Entries), TransferError> {
    let malformed = |line, what: String| TransferError::Malformed { line, what };
    let mut lines = (1..).zip(input.lines());
    let (_, header) = lines.next().ok_or_else(|| malformed(1, "the import is empty".to_owned()))?;
    let header: Header =
        serde_json::from_str(&header?).map_err(|error| malformed(1, format!("no header: {error}")))?;
    if header.rookery_state != FORMAT {
        return Err(malformed(1, format!("the format is {}, not {FORMAT}", header.rookery_state)));
    }
    let mut entries = Entries::new();
    let mut last = 1;
    while let Some((number, line)) = lines.next() {
        let line = line?;
        last = number;
        if let Ok(footer) = serde_json::from_str::<Footer>(&line) {
            if footer.entries != entries.len() as u64 {
                let what = format!("{} entries were announced, {} are there", footer.entries, entries.len());
                return Err(malformed(number, what));
            }
            return match lines.next() {
                Some((number, _)) => Err(malformed(number, "lines follow the end".to_owned())),
                None => Ok((header.schema, entries)),
            };
        }
        entries.push(read_entry(&line).map_err(|what| malformed(number, what))?);
    }
    Err(malformed(last, "the end is missing: the import was cut short".to_owned()))
}

fn read_entry(line: &str) -> Result<(Vec<u8>, Vec<u8>), String> {
    let line: Line<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    for name in [Some(&line.table), line.index.as_ref()].into_iter().flatten() {
        if !is_name(name) {
            return Err(format!("{name:?} is no name of a table or an index"));
        }
    }
    let (mut stored, value) = match (&line.index, line.row) {
        (None, Some(row)) => (rows_named(&line.table), row.get().as_bytes().to_vec()),
        (Some(index), None) => (index_of(&line.table, index), Vec::new()),
        _ => return Err("an entry has either a row or an index".to_owned()),
    };
    stored.extend(hex::decode(&line.key).map_err(|error| format!("the key: {error}"))?);
    Ok((stored, value))
}
