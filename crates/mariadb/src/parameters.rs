//! The server's parameters that may be set: which they are is ours, everything else about them the server says.

use std::collections::BTreeMap;

use rookery_api::mariadb::{ConstraintRange, ParamConstraint, ParamDesc};

use crate::error::Error;
use crate::sql::{self, Connection, Rows};

/// Not among them: what decides where an instance keeps its data, who follows whom, and what initialisation fixed.
const SETTABLE: [&str; 62] = [
    "auto_increment_increment",
    "auto_increment_offset",
    "autocommit",
    "back_log",
    "binlog_cache_size",
    "binlog_row_image",
    "collation_server",
    "concurrent_insert",
    "connect_timeout",
    "default_storage_engine",
    "default_week_format",
    "div_precision_increment",
    "eq_range_index_dive_limit",
    "event_scheduler",
    "group_concat_max_len",
    "innodb_autoinc_lock_mode",
    "innodb_buffer_pool_dump_at_shutdown",
    "innodb_buffer_pool_load_at_startup",
    "innodb_deadlock_detect",
    "innodb_flush_log_at_trx_commit",
    "innodb_ft_max_token_size",
    "innodb_ft_min_token_size",
    "innodb_io_capacity",
    "innodb_io_capacity_max",
    "innodb_lock_wait_timeout",
    "innodb_max_dirty_pages_pct",
    "innodb_old_blocks_pct",
    "innodb_old_blocks_time",
    "innodb_print_all_deadlocks",
    "innodb_read_io_threads",
    "innodb_rollback_on_timeout",
    "innodb_stats_on_metadata",
    "innodb_strict_mode",
    "innodb_thread_concurrency",
    "innodb_write_io_threads",
    "interactive_timeout",
    "join_buffer_size",
    "lock_wait_timeout",
    "log_queries_not_using_indexes",
    "long_query_time",
    "low_priority_updates",
    "max_allowed_packet",
    "max_connect_errors",
    "max_connections",
    "max_heap_table_size",
    "max_length_for_sort_data",
    "max_prepared_stmt_count",
    "max_sort_length",
    "net_read_timeout",
    "net_retry_count",
    "net_write_timeout",
    "query_alloc_block_size",
    "query_prealloc_size",
    "sort_buffer_size",
    "sql_mode",
    "sync_binlog",
    "table_definition_cache",
    "table_open_cache",
    "thread_cache_size",
    "tmp_table_size",
    "tx_isolation",
    "wait_timeout",
];

/// A parameter, as the server tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    value: String,
    default: String,
    kind: Kind,
    /// It takes effect with the next start only.
    pub(crate) needs_restart: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Number {
        least: String,
        most: String,
    },
    OneOf(Vec<String>),
    /// Several of these, with commas between them.
    SomeOf(Vec<String>),
    Text,
}

/// The settable parameters of a server.
pub(crate) async fn read(server: &mut Connection) -> Result<Vec<Parameter>, Error> {
    let names: Vec<String> = SETTABLE.iter().map(|name| sql::text(&name.to_ascii_uppercase())).collect();
    let question = format!(
        "SELECT VARIABLE_NAME, GLOBAL_VALUE, DEFAULT_VALUE, VARIABLE_TYPE, NUMERIC_MIN_VALUE, NUMERIC_MAX_VALUE, ENUM_VALUE_LIST, READ_ONLY \
         FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME IN ({}) ORDER BY VARIABLE_NAME",
        names.join(", ")
    );
    let rows = server.query(&question).await?;
    Ok(rows.rows.iter().map(|row| parameter(&rows, row)).collect())
}

fn parameter(rows: &Rows, row: &[Option<String>]) -> Parameter {
    let cell = |column| rows.cell(row, column);
    let list = || cell("ENUM_VALUE_LIST").split(',').map(str::to_owned).collect::<Vec<_>>();
    let kind = match cell("VARIABLE_TYPE").as_str() {
        "BOOLEAN" => Kind::OneOf(vec!["OFF".to_owned(), "ON".to_owned()]),
        "ENUM" => Kind::OneOf(list()),
        "SET" | "FLAGSET" => Kind::SomeOf(list()),
        "VARCHAR" => Kind::Text,
        _ => Kind::Number { least: cell("NUMERIC_MIN_VALUE"), most: cell("NUMERIC_MAX_VALUE") },
    };
    Parameter {
        name: cell("VARIABLE_NAME").to_ascii_lowercase(),
        value: cell("GLOBAL_VALUE"),
        default: cell("DEFAULT_VALUE"),
        kind,
        needs_restart: cell("READ_ONLY") == "YES",
    }
}

impl Parameter {
    /// The value as it is written, if it is one that the parameter can have.
    pub(crate) fn accept(&self, value: &str) -> Option<String> {
        let value = value.trim();
        match &self.kind {
            Kind::Number { least, most } => {
                let number: f64 = value.parse().ok().filter(|number: &f64| number.is_finite())?;
                let (least, most): (f64, f64) = (least.parse().ok()?, most.parse().ok()?);
                (least..=most).contains(&number).then(|| value.to_owned())
            }
            Kind::OneOf(values) => {
                let position = value.parse::<usize>().ok().and_then(|at| values.get(at));
                position.or_else(|| values.iter().find(|known| known.eq_ignore_ascii_case(value))).cloned()
            }
            Kind::SomeOf(values) => {
                let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
                let known =
                    |part: &str| values.iter().find(|known| known.eq_ignore_ascii_case(part)).cloned();
                Some(parts.map(known).collect::<Option<Vec<_>>>()?.join(","))
            }
            Kind::Text => {
                let plain = |character: char| character.is_ascii_alphanumeric() || "_-.,".contains(character);
                (value.len() <= 255 && value.chars().all(plain)).then(|| value.to_owned())
            }
        }
    }

    /// What follows `SET GLOBAL`.
    pub(crate) fn assignment(&self, value: &str) -> String {
        match self.kind {
            Kind::Number { .. } => format!("{} = {value}", sql::name(&self.name)),
            _ => format!("{} = {}", sql::name(&self.name), sql::text(value)),
        }
    }

    pub(crate) fn describe(self, set: &BTreeMap<String, String>) -> ParamDesc {
        let set_value = set.get(&self.name).cloned();
        let constraint = match self.kind {
            Kind::Number { least, most } => ParamConstraint {
                r#type: "section".to_owned(),
                r#enum: String::new(),
                range: Some(ConstraintRange { min: least, max: most }),
                string: String::new(),
            },
            Kind::OneOf(values) => ParamConstraint {
                r#type: "enum".to_owned(),
                r#enum: values.join(","),
                range: None,
                string: String::new(),
            },
            Kind::SomeOf(values) => ParamConstraint {
                r#type: "string".to_owned(),
                r#enum: String::new(),
                range: None,
                string: values.join(","),
            },
            Kind::Text => ParamConstraint {
                r#type: "string".to_owned(),
                r#enum: String::new(),
                range: None,
                string: String::new(),
            },
        };
        ParamDesc {
            param: self.name,
            have_set_value: set_value.is_some(),
            set_value: set_value.unwrap_or_else(|| self.value.clone()),
            value: self.value,
            default: self.default,
            constraint,
            need_restart: self.needs_restart,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(kind: Kind) -> Parameter {
        Parameter {
            name: "x".to_owned(),
            value: "1".to_owned(),
            default: "1".to_owned(),
            kind,
            needs_restart: false,
        }
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn values_are_held_against_what_the_server_says() {
        let number = of(Kind::Number { least: "1".to_owned(), most: "100000".to_owned() });
        assert_eq!(number.accept(" 20 ").as_deref(), Some("20"));
        assert!(["0", "100001", "many", "NaN", "1; DROP"].iter().all(|value| number.accept(value).is_none()));
        let switch = of(Kind::OneOf(words(&["OFF", "ON"])));
        assert_eq!(switch.accept("on").as_deref(), Some("ON"));
        assert_eq!(switch.accept("0").as_deref(), Some("OFF"));
        assert!(switch.accept("perhaps").is_none() && switch.accept("2").is_none());
        let set = of(Kind::SomeOf(words(&["A", "B"])));
        assert_eq!(set.accept("b, a").as_deref(), Some("B,A"));
        assert_eq!(set.accept("").as_deref(), Some(""));
        assert!(set.accept("A,C").is_none());
        assert!(of(Kind::Text).accept("a\nb").is_none());
    }

    #[test]
    fn constraints_are_told() {
        let set = BTreeMap::from([("x".to_owned(), "2".to_owned())]);
        let told = of(Kind::OneOf(words(&["1", "2"]))).describe(&set);
        assert_eq!((told.have_set_value, told.set_value.as_str(), told.value.as_str()), (true, "2", "1"));
        assert_eq!(told.constraint.r#enum, "1,2");
        assert!(
            of(Kind::Number { least: "1".to_owned(), most: "2".to_owned() })
                .describe(&set)
                .constraint
                .range
                .is_some()
        );
    }

    proptest! {
        #[test]
        fn no_accepted_value_leaves_its_line(value in ".*") {
            for kind in [Kind::Text, Kind::OneOf(words(&["ON"])), Kind::SomeOf(words(&["ON"])),
                         Kind::Number { least: "0".to_owned(), most: "9".to_owned() }] {
                if let Some(accepted) = of(kind).accept(&value) {
                    prop_assert!(!accepted.contains(['\n', '\r', '\'', '#', ';']));
                }
            }
        }
    }
}
