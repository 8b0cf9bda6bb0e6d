//! Parameters as the trace keeps them: the checked value as JSON, cut where it is long, and without what is secret.
//!
//! Secrets are masked while the text is written, so that none is kept, not even in memory. What is secret is known by the member's name,
//! and a private key by what it begins with, since it is easily sent where a public one belongs;
//! the tests list every member of the models that a mask covers, and every one that looks like a secret and is none.

use rookery_api::codec::{Value, write_text};
use rookery_api::shape::{Kind, StructureShape};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// How much of a request's parameters is kept, in bytes of JSON.
pub const KEPT: usize = 4096;

/// What stands in the place of a secret.
const MASK: &[u8] = b"\"***\"";

/// Ends of the names of members that hold secrets, in lower case.
const SECRET_ENDS: [&str; 15] = [
    "assertion",
    "credentials",
    // Of devices: what opens a white-box key's file on them.
    "fingerprints",
    // Of a web hook, where its `Authorization` is.
    "headers",
    "keymaterial",
    "password",
    "plaintext",
    "privatekey",
    "secretaccesskey",
    "secretbinary",
    "secretkey",
    "secretstring",
    "token",
    "tokencode",
    "userdata",
];

/// Names that end like a secret and are none: marks against repetition, positions in lists, settings.
const NO_SECRETS: [&str; 5] = ["ClientToken", "NextToken", "PaginationToken", "NeedResetPassword", "Stoken"];

/// Whether a member's value is a secret, by its name.
#[must_use]
pub fn is_secret(member: &str) -> bool {
    let name = member.as_bytes();
    let ends = |end: &str| {
        name.len()
            .checked_sub(end.len())
            .and_then(|from| name.get(from..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
    };
    SECRET_ENDS.iter().any(|end| ends(end)) && !NO_SECRETS.contains(&member)
}

/// How every private key in PEM begins, after the name of its kind.
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// Whether what is kept of a text has a private key in it.
fn holds_private_key(text: &str) -> bool {
    text.get(..text.floor_char_boundary(KEPT)).unwrap_or_default().contains(PRIVATE_KEY)
}

/// Parameters as text. Serialised as the JSON object that it is, or, where it was cut, as a string that ends in `…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masked {
    /// JSON; where it was cut, its beginning.
    pub json: String,
    /// Whether it was longer than [`KEPT`].
    pub cut: bool,
}

impl Serialize for Masked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match RawValue::from_string(self.json.clone()) {
            Ok(whole) if !self.cut => whole.serialize(serializer),
            _ => serializer.collect_str(&format_args!("{}…", self.json)),
        }
    }
}

/// Writes the parameters of a request. `value` has passed `shape`.
#[must_use]
pub fn write(value: &Value, shape: &StructureShape) -> Masked {
    let mut text = Vec::new();
    let cut = structure(value, shape, &mut text).is_err();
    if cut {
        text.truncate(KEPT);
        // Not in the middle of a character.
        while std::str::from_utf8(&text).is_err() {
            text.pop();
        }
    }
    Masked { json: String::from_utf8(text).unwrap_or_default(), cut }
}

/// There is more than is kept.
struct Full;

fn structure(value: &Value, shape: &StructureShape, text: &mut Vec<u8>) -> Result<(), Full> {
    let Value::Structure(values) = value else { return Ok(()) };
    text.push(b'{');
    let sent = values.iter().zip(shape.members).filter(|(value, _)| **value != Value::Absent);
    for (at, (value, member)) in sent.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        write_text(member.name, text);
        text.push(b':');
        if is_secret(member.name) {
            text.extend_from_slice(MASK);
        } else {
            of_kind(value, &member.kind, text)?;
        }
    }
    text.push(b'}');
    room(text)
}

fn of_kind(value: &Value, kind: &Kind, text: &mut Vec<u8>) -> Result<(), Full> {
    match (value, kind) {
        (Value::Structure(_), Kind::Structure(shape)) => structure(value, shape, text)?,
        (Value::List(items), Kind::List(item)) => {
            text.push(b'[');
            for (at, value) in items.iter().enumerate() {
                if at > 0 {
                    text.push(b',');
                }
                of_kind(value, item, text)?;
            }
            text.push(b']');
        }
        (Value::Text(key), _) if holds_private_key(key) => text.extend_from_slice(MASK),
        // Of a text that cannot fit only the part that could is worth escaping.
        (Value::Text(long), _) if long.len() > KEPT => {
            write_text(long.get(..long.floor_char_boundary(KEPT)).unwrap_or_default(), text);
            return Err(Full);
        }
        (Value::Text(short), _) => write_text(short, text),
        (Value::Integer(number), _) => text.extend_from_slice(number.to_string().as_bytes()),
        (Value::Unsigned(number), _) => text.extend_from_slice(number.to_string().as_bytes()),
        (Value::Boolean(boolean), _) => text.extend_from_slice(boolean.to_string().as_bytes()),
        (Value::Float(number), _) => {
            // Writing into a Vec has no way to fail, and JSON has no infinities to refuse.
            let _ = serde_json::to_writer(&mut *text, number);
        }
        // A list or a structure of another kind than its shape's does not pass the shape.
        _ => text.extend_from_slice(b"null"),
    }
    room(text)
}

fn room(text: &[u8]) -> Result<(), Full> {
    if text.len() > KEPT { Err(Full) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use rookery_api::Request;
    use rookery_api::decode::{self, Side, json};
    use rookery_api::products::{cvm, kms, tcr};

    use super::*;

    fn masked<R: Request>(text: &str) -> Masked {
        let shape = R::PRODUCT.actions[R::ACTION].input;
        write(&decode::conform(json::read(text.as_bytes()).unwrap(), shape, Side::Request).unwrap(), shape)
    }

    #[test]
    fn parameters_are_json_in_the_models_order() {
        let sent = r#"{"Limit":3,"Filters":[{"Values":["a\"b"],"Name":"N"}],"AllRegion":true}"#;
        let json: serde_json::Value =
            serde_json::from_str(&masked::<tcr::DescribeInstancesRequest>(sent).json).unwrap();
        assert_eq!(json, serde_json::from_str::<serde_json::Value>(sent).unwrap());
        assert_eq!(masked::<tcr::DescribeInstancesRequest>("{}").json, "{}");
    }

    #[test]
    fn secrets_are_masked_at_every_depth() {
        let sent = r#"{"KeyId":"k","Plaintext":"c2VjcmV0"}"#;
        assert_eq!(masked::<kms::EncryptRequest>(sent).json, r#"{"KeyId":"k","Plaintext":"***"}"#);
        let sent = r#"{"LoginSettings":{"Password":"secret","KeyIds":["skey-1"]},"ImageId":"img","Placement":{"Zone":"z"}}"#;
        let text = masked::<cvm::RunInstancesRequest>(sent).json;
        assert!(
            text.contains(r#""Password":"***""#) && text.contains("skey-1") && !text.contains("secret"),
            "{text}"
        );
    }

    #[test]
    fn a_private_key_is_masked_wherever_it_was_sent() {
        for kind in ["", "RSA ", "EC ", "ENCRYPTED "] {
            let sent = |text: &str| serde_json::json!({"EncryptionPublicKey": text, "CiphertextBlob": "b"});
            let key = format!("\n-----BEGIN {kind}PRIVATE KEY-----\nMIIE\n-----END {kind}PRIVATE KEY-----\n");
            for text in [key.clone(), key.clone() + &"A".repeat(2 * KEPT), "A".repeat(KEPT - 40) + &key] {
                let json = masked::<kms::DecryptRequest>(&sent(&text).to_string()).json;
                assert!(json.contains(r#""EncryptionPublicKey":"***""#) && !json.contains("MIIE"), "{json}");
            }
            let after = masked::<kms::DecryptRequest>(&sent(&("A".repeat(KEPT) + &key)).to_string());
            assert!(after.cut && !after.json.contains("MIIE"));
        }
        let public = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n";
        let sent = serde_json::json!({"CiphertextBlob": "b", "EncryptionPublicKey": public}).to_string();
        assert!(masked::<kms::DecryptRequest>(&sent).json.contains("MIIB"));
    }

    #[test]
    fn what_is_long_is_cut_between_characters() {
        let long = |length| format!(r#"{{"RegistryId":"{}"}}"#, "镜".repeat(length));
        let whole = masked::<tcr::DeleteInstanceRequest>(&long(1000));
        assert!(!whole.cut && whole.json.ends_with("\"}"));
        for length in [1361, 1362, 1365, 1366, 3000] {
            let cut = masked::<tcr::DeleteInstanceRequest>(&long(length));
            assert!(cut.cut && cut.json.len() <= KEPT && cut.json.len() > KEPT - 4, "{length}");
        }
        let many = format!(r#"{{"Registryids":[{}"tcr-x"]}}"#, r#""tcr-12345678","#.repeat(1000));
        let cut = masked::<tcr::DescribeInstancesRequest>(&many);
        assert!(cut.cut && cut.json.len() == KEPT);
        assert!(serde_json::to_string(&cut).unwrap().ends_with("…\""));
    }
}
