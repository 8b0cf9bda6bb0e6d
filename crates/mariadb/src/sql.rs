//! Talking SQL to a server: as its superuser, through its unix socket, where the system vouches for who we are.
//!
//! The protocol's text half is all that is needed: one command, one result. The servers are our own, so no TLS, no passwords and
//! no other authentication than the socket's.

mod connection;
mod packet;

use std::io;

pub(crate) use connection::Connection;

/// Why a statement has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqlError {
    /// The server refused it.
    #[error("{message} ({number})")]
    Refused {
        /// The server's number of the error.
        number: u16,
        message: String,
    },
    /// The server said what the protocol does not know.
    #[error("the server's answer is not understood: {0}")]
    Protocol(&'static str),
    /// The connection could not be made or broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A result: names of the columns, and rows of texts, `None` where it is NULL.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
}

impl Rows {
    /// The value of a column of that name, whatever its case, in the first row; empty where there is none.
    pub(crate) fn first(&self, column: &str) -> String {
        self.rows.first().map(|row| self.cell(row, column)).unwrap_or_default()
    }

    /// The value of a column of that name in a row; empty for NULL.
    pub(crate) fn cell(&self, row: &[Option<String>], column: &str) -> String {
        let at = self.columns.iter().position(|name| name.eq_ignore_ascii_case(column));
        at.and_then(|at| row.get(at).cloned().flatten()).unwrap_or_default()
    }

    /// The first column.
    pub(crate) fn into_texts(self) -> Vec<String> {
        self.rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect()
    }
}

/// A text as a literal. Both marks are doubled or escaped, so it holds in every `sql_mode` that leaves backslashes their meaning,
/// which [`Connection::open`] makes sure of.
pub(crate) fn text(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('\'');
    for character in value.chars() {
        match character {
            '\'' => quoted.push_str("''"),
            '\\' => quoted.push_str("\\\\"),
            '\0' => quoted.push_str("\\0"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// A name of a database, table, column or variable.
pub(crate) fn name(value: &str) -> String {
    format!("`{}`", value.replace('`', "``"))
}

/// A database as `GRANT` names it, where `_` and `%` would be wildcards.
pub(crate) fn database_pattern(value: &str) -> String {
    name(&value.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%"))
}

/// `user`@`host`.
pub(crate) fn account(user: &str, host: &str) -> String {
    format!("{}@{}", text(user), text(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_its_quotes() {
        assert_eq!(text(r"a'b\c"), r"'a''b\\c'");
        assert_eq!(name("a`b"), "`a``b`");
        assert_eq!(database_pattern("a_b%"), r"`a\_b\%`");
        assert_eq!(account("o'x", "%"), "'o''x'@'%'");
    }
}
