//! Privileges at the five levels: everything, a database, a table or view, a column, a routine. Set and read on the server itself.

use rookery_api::mariadb::ErrorCode;

use crate::accounts::Name;
use crate::error::Error;
use crate::sql::{self, Connection, SqlError};

const DATABASE: [&str; 18] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "EVENT",
    "TRIGGER",
];
/// Besides those of a database. `PROCESS` is in one action's list and the two of replication in another's; here they are in both.
const GLOBAL: [&str; 4] = ["SHOW DATABASES", "REPLICATION CLIENT", "REPLICATION SLAVE", "PROCESS"];
const TABLE: [&str; 12] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "CREATE VIEW",
    "SHOW VIEW",
    "TRIGGER",
];
const COLUMN: [&str; 4] = ["INSERT", "REFERENCES", "SELECT", "UPDATE"];
const ROUTINE: [&str; 2] = ["ALTER ROUTINE", "EXECUTE"];
/// What an account that only reads may have.
const READING: [&str; 7] = [
    "SELECT",
    "SHOW VIEW",
    "SHOW DATABASES",
    "REPLICATION CLIENT",
    "REPLICATION SLAVE",
    "PROCESS",
    "EXECUTE",
];

/// What privileges are on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Global,
    Database(String),
    /// A table or a view.
    Table {
        database: String,
        table: String,
    },
    Column {
        database: String,
        table: String,
        column: String,
    },
    Routine {
        database: String,
        routine: String,
        function: bool,
    },
}

impl Level {
    /// As `GrantAccountPrivileges` and `DescribeAccountPrivileges` address it.
    pub(crate) fn addressed(
        database: &str,
        kind: Option<&str>,
        object: Option<&str>,
        column: Option<&str>,
    ) -> Result<Self, Error> {
        if database == "*" {
            return Ok(Self::Global);
        }
        let column = column.filter(|column| !matches!(*column, "" | "*"));
        let kind = kind.unwrap_or_default();
        if column.is_some() && kind != "table" {
            return Err(Error::invalid("ColName", "is only for `Type` `table`"));
        }
        if matches!(kind, "*") {
            return Ok(Self::Database(database.to_owned()));
        }
        let object = object.filter(|object| !matches!(*object, "" | "*"));
        let named = || {
            object
                .map(str::to_owned)
                .ok_or_else(|| Error::invalid("Object", "must name what the privileges are on"))
        };
        let database = database.to_owned();
        match (kind, column) {
            ("table", Some(column)) => {
                Ok(Self::Column { database, table: named()?, column: column.to_owned() })
            }
            ("table" | "view", _) => Ok(Self::Table { database, table: named()? }),
            ("proc", _) => Ok(Self::Routine { database, routine: named()?, function: false }),
            ("func", _) => Ok(Self::Routine { database, routine: named()?, function: true }),
            _ => Err(Error::invalid("Type", "must be `*`, `table`, `view`, `proc` or `func`")),
        }
    }

    fn allows(&self, privilege: &str) -> bool {
        match self {
            Self::Global => DATABASE.contains(&privilege) || GLOBAL.contains(&privilege),
            Self::Database(_) => DATABASE.contains(&privilege),
            Self::Table { .. } => TABLE.contains(&privilege),
            Self::Column { .. } => COLUMN.contains(&privilege),
            Self::Routine { .. } => ROUTINE.contains(&privilege),
        }
    }

    fn database(&self) -> Option<&str> {
        match self {
            Self::Global => None,
            Self::Database(database)
            | Self::Table { database, .. }
            | Self::Column { database, .. }
            | Self::Routine { database, .. } => Some(database),
        }
    }

    /// Checks what is to be granted; it comes back in capitals, each once.
    pub(crate) fn check(&self, privileges: &[String], reads_only: bool) -> Result<Vec<String>, Error> {
        let mut wanted: Vec<String> = Vec::new();
        for privilege in privileges {
            let privilege = privilege.trim().to_ascii_uppercase();
            let system = self.database() == Some("mysql") && privilege != "SELECT";
            if !self.allows(&privilege) || system || (reads_only && !READING.contains(&privilege.as_str())) {
                return Err(Error::refuse(
                    ErrorCode::InvalidParameterValueBadUserRight,
                    format!("The privilege `{privilege}` cannot be granted here."),
                    format!("此处不能授予权限 `{privilege}`。"),
                ));
            }
            if !wanted.contains(&privilege) {
                wanted.push(privilege);
            }
        }
        Ok(wanted)
    }

    /// What follows ON.
    fn target(&self) -> String {
        match self {
            Self::Global => "*.*".to_owned(),
            Self::Database(database) => format!("{}.*", sql::database_pattern(database)),
            Self::Table { database, table } | Self::Column { database, table, .. } => {
                format!("{}.{}", sql::name(database), sql::name(table))
            }
            Self::Routine { database, routine, function } => {
                let kind = if *function { "FUNCTION" } else { "PROCEDURE" };
                format!("{kind} {}.{}", sql::name(database), sql::name(routine))
            }
        }
    }

    /// Privileges as GRANT and REVOKE list them.
    fn list(&self, privileges: &[String]) -> String {
        match self {
            Self::Column { column, .. } => {
                let each = |privilege: &String| format!("{privilege} ({})", sql::name(column));
                privileges.iter().map(each).collect::<Vec<_>>().join(", ")
            }
            _ => privileges.join(", "),
        }
    }

    /// The question which privileges an account has at exactly this level.
    fn question(&self, name: &Name) -> String {
        let grantee = sql::text(&format!("'{}'@'{}'", name.user, name.host));
        let from = |table: &str, conditions: String| {
            format!(
                "SELECT PRIVILEGE_TYPE FROM information_schema.{table} WHERE GRANTEE = {grantee}{conditions}"
            )
        };
        let (text, pattern) = (sql::text, |database: &str| {
            let quoted = sql::database_pattern(database);
            sql::text(quoted.trim_matches('`'))
        });
        match self {
            Self::Global => from("USER_PRIVILEGES", String::new()),
            Self::Database(database) => {
                from("SCHEMA_PRIVILEGES", format!(" AND TABLE_SCHEMA = {}", pattern(database)))
            }
            Self::Table { database, table } => from(
                "TABLE_PRIVILEGES",
                format!(" AND TABLE_SCHEMA = {} AND TABLE_NAME = {}", text(database), text(table)),
            ),
            Self::Column { database, table, column } => from(
                "COLUMN_PRIVILEGES",
                format!(
                    " AND TABLE_SCHEMA = {} AND TABLE_NAME = {} AND COLUMN_NAME = {}",
                    text(database),
                    text(table),
                    text(column)
                ),
            ),
            Self::Routine { database, routine, function } => format!(
                "SELECT Proc_priv FROM mysql.procs_priv WHERE User = {} AND Host = {} AND Db = {} AND Routine_name = {} AND Routine_type = {}",
                text(&name.user),
                text(&name.host),
                text(database),
                text(routine),
                if *function { "'FUNCTION'" } else { "'PROCEDURE'" },
            ),
        }
    }

    /// The privileges that an account has at this level, in the order of the documentation.
    pub(crate) async fn read(&self, server: &mut Connection, name: &Name) -> Result<Vec<String>, Error> {
        let told = server.query(&self.question(name)).await?.into_texts();
        let known = |privilege: &str| match privilege.to_ascii_uppercase().as_str() {
            // The server's newer name for it.
            "BINLOG MONITOR" => "REPLICATION CLIENT".to_owned(),
            other => other.to_owned(),
        };
        let told: Vec<String> = told.iter().flat_map(|set| set.split(',')).map(known).collect();
        let order = DATABASE.iter().chain(&GLOBAL);
        Ok(order
            .filter(|one| self.allows(one) && told.iter().any(|had| had == *one))
            .map(|one| (*one).to_owned())
            .collect())
    }

    /// Makes exactly `wanted` the privileges of the account at this level.
    pub(crate) async fn set(
        &self,
        server: &mut Connection,
        name: &Name,
        wanted: &[String],
    ) -> Result<(), Error> {
        let had = self.read(server, name).await?;
        let gone: Vec<String> = had.iter().filter(|one| !wanted.contains(one)).cloned().collect();
        let new: Vec<String> = wanted.iter().filter(|one| !had.contains(one)).cloned().collect();
        if !gone.is_empty() {
            let statement = format!("REVOKE {} ON {} FROM {}", self.list(&gone), self.target(), name.sql());
            server.run(&statement).await.map_err(right_failed)?;
        }
        if !new.is_empty() {
            let statement = format!("GRANT {} ON {} TO {}", self.list(&new), self.target(), name.sql());
            server.run(&statement).await.map_err(right_failed)?;
        }
        Ok(())
    }
}

/// The server's refusal, for instance of a table that does not exist.
fn right_failed(error: SqlError) -> Error {
    match error {
        SqlError::Refused { .. } => {
            let told = error.to_string();
            Error::refuse(ErrorCode::FailedOperationModifyRightFailed, told.clone(), told)
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn levels_are_addressed_as_documented() {
        let at = |database, kind, object, column| Level::addressed(database, kind, object, column);
        assert_eq!(at("*", Some("table"), None, None).unwrap(), Level::Global);
        assert_eq!(at("d", Some("*"), None, None).unwrap(), Level::Database("d".to_owned()));
        assert!(matches!(at("d", Some("view"), Some("v"), None).unwrap(), Level::Table { .. }));
        assert!(matches!(at("d", Some("table"), Some("t"), Some("*")).unwrap(), Level::Table { .. }));
        assert!(matches!(at("d", Some("table"), Some("t"), Some("c")).unwrap(), Level::Column { .. }));
        assert!(matches!(
            at("d", Some("func"), Some("f"), None).unwrap(),
            Level::Routine { function: true, .. }
        ));
        for bad in [
            at("d", None, None, None),
            at("d", Some("table"), None, None),
            at("d", Some("table"), Some("*"), None),
            at("d", Some("index"), Some("i"), None),
            at("d", Some("view"), Some("v"), Some("c")),
        ] {
            assert!(bad.is_err());
        }
    }

    #[test]
    fn each_level_has_its_privileges() {
        let (global, database) = (Level::Global, Level::Database("d".to_owned()));
        assert_eq!(
            global.check(&strings(&["select", "SELECT", "PROCESS"]), false).unwrap(),
            ["SELECT", "PROCESS"]
        );
        assert!(database.check(&strings(&["PROCESS"]), false).is_err());
        assert!(database.check(&strings(&["INSERT"]), true).is_err(), "an account that reads");
        assert!(Level::Database("mysql".to_owned()).check(&strings(&["INSERT"]), false).is_err());
        assert!(global.check(&strings(&["SUPER"]), false).is_err());
    }

    #[test]
    fn statements_quote_what_they_name() {
        let name = Name::of("app", "%");
        let column =
            Level::Column { database: "d".to_owned(), table: "t`".to_owned(), column: "c".to_owned() };
        assert_eq!(column.target(), "`d`.`t```");
        assert_eq!(column.list(&strings(&["SELECT", "UPDATE"])), "SELECT (`c`), UPDATE (`c`)");
        assert_eq!(Level::Database("a_b".to_owned()).target(), r"`a\_b`.*");
        assert!(Level::Database("a_b".to_owned()).question(&name).ends_with(r"TABLE_SCHEMA = 'a\\_b'"));
    }
}
