//! The packets of the protocol's text half.

use crate::sql::SqlError;

/// Abilities that are claimed: long passwords' protocol, 4.1 protocol, transactions, secure connections, named authentication, and
/// results whose end is told by an end-of-file packet.
pub(super) const CAPABILITIES: u32 = 0x0000_0001 | 0x0000_0200 | 0x0000_2000 | 0x0000_8000 | 0x0008_0000;
/// `utf8mb4_general_ci`.
const CHARSET: u8 = 45;
/// The largest packet.
const LARGEST: u32 = 0x0100_0000;

/// Reads the parts of a packet, one after another.
#[derive(Debug)]
pub(super) struct Reader<'p>(pub(super) &'p [u8]);

const SHORT: SqlError = SqlError::Protocol("a packet is too short");

impl<'p> Reader<'p> {
    pub(super) fn bytes(&mut self, length: usize) -> Result<&'p [u8], SqlError> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(SHORT)?;
        self.0 = rest;
        Ok(head)
    }

    pub(super) fn byte(&mut self) -> Result<u8, SqlError> {
        let (&head, rest) = self.0.split_first().ok_or(SHORT)?;
        self.0 = rest;
        Ok(head)
    }

    fn little_endian(&mut self, length: usize) -> Result<u64, SqlError> {
        let bytes = self.bytes(length)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    /// A number of one to nine bytes; `None` for the mark of NULL.
    pub(super) fn length(&mut self) -> Result<Option<u64>, SqlError> {
        match self.byte()? {
            small @ 0..=250 => Ok(Some(u64::from(small))),
            251 => Ok(None),
            252 => self.little_endian(2).map(Some),
            253 => self.little_endian(3).map(Some),
            254 => self.little_endian(8).map(Some),
            255 => Err(SqlError::Protocol("a length of 255")),
        }
    }

    /// A text with its length before it; `None` for NULL. What is not UTF-8, in a binary column, is shown with replacements.
    pub(super) fn text(&mut self) -> Result<Option<String>, SqlError> {
        let Some(length) = self.length()? else { return Ok(None) };
        let bytes = self.bytes(usize::try_from(length).map_err(|_| SHORT)?)?;
        Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
    }
}

/// The server's error, from the packet that begins with 255.
pub(super) fn refusal(packet: &[u8]) -> SqlError {
    let mut reader = Reader(packet);
    let number =
        reader.bytes(3).ok().and_then(|head| Some(u16::from_le_bytes([*head.get(1)?, *head.get(2)?])));
    let Some(number) = number else { return SHORT };
    // A SQL state of `#` and five characters goes before the words.
    let words = match reader.0 {
        [b'#', rest @ ..] => rest.get(5..).unwrap_or_default(),
        words => words,
    };
    SqlError::Refused { number, message: String::from_utf8_lossy(words).into_owned() }
}

/// What logs in as `user`, with no password.
pub(super) fn login(user: &str, plugin: &str) -> Vec<u8> {
    let mut packet = Vec::with_capacity(64 + user.len());
    packet.extend_from_slice(&CAPABILITIES.to_le_bytes());
    packet.extend_from_slice(&LARGEST.to_le_bytes());
    packet.push(CHARSET);
    packet.extend_from_slice(&[0; 23]);
    packet.extend_from_slice(user.as_bytes());
    packet.push(0);
    packet.push(0); // the length of an answer to the challenge: none
    packet.extend_from_slice(plugin.as_bytes());
    packet.push(0);
    packet
}

/// The name of a column, from its definition.
pub(super) fn column(packet: &[u8]) -> Result<String, SqlError> {
    let mut reader = Reader(packet);
    for _catalog_database_table_and_original in 0..4 {
        reader.text()?;
    }
    Ok(reader.text()?.unwrap_or_default())
}

/// A row of so many columns.
pub(super) fn row(packet: &[u8], columns: usize) -> Result<Vec<Option<String>>, SqlError> {
    let mut reader = Reader(packet);
    (0..columns).map(|_| reader.text()).collect()
}

/// Whether this ends the columns or the rows. A row may begin with the same byte, but is then longer.
pub(super) fn ends(packet: &[u8]) -> bool {
    packet.first() == Some(&254) && packet.len() < 9
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_columns_and_errors_are_read() {
        assert_eq!(row(b"\x01a\xfb\x00", 3).unwrap(), [Some("a".to_owned()), None, Some(String::new())]);
        assert_eq!(row(b"\xfc\x01\x00z", 1).unwrap(), [Some("z".to_owned())]);
        assert_eq!(column(b"\x03def\x00\x00\x00\x04name\x00").unwrap(), "name");
        let told = refusal(b"\xff\x28\x04#42000wrong");
        assert!(matches!(told, SqlError::Refused { number: 1064, message } if message == "wrong"));
        assert!(ends(b"\xfe\0\0\0\0") && !ends(b"\xfe123456789") && !ends(b""));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, columns in 0_usize..9) {
            let _ = (row(&bytes, columns).is_ok(), column(&bytes).is_ok(), ends(&bytes));
            let _words = refusal(&bytes).to_string();
        }
    }
}
