//! Between typed structures and the two things the gateway and the client handle: checked values and JSON text.
//!
//! A [`Value`] has passed a shape (see [`crate::decode`]); a structure takes its members from it by position. In the
//! other direction a structure writes itself as JSON straight into a buffer.

use std::io::Write;

use crate::shape::{Kind, ProductShape, StructureShape};

/// A value that conforms to a shape. An absent or null member is [`Value::Absent`].
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Not sent, or null.
    Absent,
    /// Text, dates and times included.
    Text(String),
    /// Bytes, of a multipart or octet-stream body.
    Bytes(Vec<u8>),
    /// A signed integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A float.
    Float(f64),
    /// A boolean.
    Boolean(bool),
    /// A list.
    List(Vec<Value>),
    /// A structure: one value for each member of its shape, in the shape's order.
    Structure(Vec<Value>),
}

/// A value did not have the form that its shape promises. Cannot happen for a value that passed the shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a value does not have the form of its shape")]
pub struct Mismatch;

/// The members of a structure that is being built, by position.
#[derive(Debug)]
pub struct Members(Vec<Value>);

impl Members {
    /// Takes the member at `at` of the shape.
    pub fn take<T: FromValue>(&mut self, at: usize) -> Result<T, Mismatch> {
        let value = self.0.get_mut(at).ok_or(Mismatch)?;
        T::from_value(std::mem::replace(value, Value::Absent))
    }
}

/// A structure of the contract. Implemented by generated code only.
pub trait Structure: Sized {
    /// What the model says of it.
    const SHAPE: &'static StructureShape;
    /// Builds it from checked members.
    fn from_members(members: Members) -> Result<Self, Mismatch>;
    /// Writes its members as JSON.
    fn write_members(&self, writer: &mut ObjectWriter<'_>);

    /// Builds it from a checked value.
    fn from_structure(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Structure(members) => Self::from_members(Members(members)),
            _ => Err(Mismatch),
        }
    }

    /// The structure as a JSON object. `Nulls::Omitted` is how requests are written, `Nulls::Written` replies.
    fn to_json(&self, nulls: Nulls) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(256);
        write_structure(self, &mut buffer, nulls);
        buffer
    }
}

/// The request of an action. Implemented by generated code only.
pub trait Request: Structure + Send + 'static {
    /// What the action answers.
    type Response: Structure + Send + 'static;
    /// The product that the action belongs to.
    const PRODUCT: &'static ProductShape;
    /// The action's position in [`ProductShape::actions`].
    const ACTION: usize;
}

/// A business error code of one product. Implemented by the generated enums only, so that a code that is not in
/// the model does not compile.
pub trait ErrorCode: Copy {
    /// The code on the wire, for instance `FailedOperation.DependenceError`.
    fn name(self) -> &'static str;
}

/// A type that a member can have.
pub trait FromValue: Sized {
    /// Takes the value of a member.
    fn from_value(value: Value) -> Result<Self, Mismatch>;
}

/// What becomes of a member that is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// Left out, as every SDK does in requests.
    Omitted,
    /// Written as `null`, as replies do for nullable members.
    Written,
}

/// Writes the members of one JSON object.
#[derive(Debug)]
pub struct ObjectWriter<'a> {
    buffer: &'a mut Vec<u8>,
    nulls: Nulls,
    first: bool,
}

impl ObjectWriter<'_> {
    /// Writes `"name":value`, or nothing where the value is `None` and nulls are omitted.
    pub fn member<T: WriteJson>(&mut self, name: &str, value: &T) {
        if self.nulls == Nulls::Omitted && value.is_none() {
            return;
        }
        if !self.first {
            self.buffer.push(b',');
        }
        self.first = false;
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(name.as_bytes());
        self.buffer.extend_from_slice(b"\":");
        value.write_json(self.buffer, self.nulls);
    }
}

/// A type that writes itself as JSON.
pub trait WriteJson {
    /// Appends the JSON text.
    fn write_json(&self, buffer: &mut Vec<u8>, nulls: Nulls);
    /// Whether there is nothing to write.
    fn is_none(&self) -> bool {
        false
    }
}

/// Appends a structure as a JSON object.
pub fn write_structure<S: Structure>(structure: &S, buffer: &mut Vec<u8>, nulls: Nulls) {
    buffer.push(b'{');
    structure.write_members(&mut ObjectWriter { buffer, nulls, first: true });
    buffer.push(b'}');
}

/// Appends a checked value of a structure as a JSON object, for callers that have no type for it. Absent members are omitted.
pub fn write_value(value: &Value, shape: &StructureShape, buffer: &mut Vec<u8>) -> Result<(), Mismatch> {
    let Value::Structure(members) = value else { return Err(Mismatch) };
    buffer.push(b'{');
    let mut first = true;
    for (value, member) in members.iter().zip(shape.members) {
        if *value == Value::Absent {
            continue;
        }
        if !first {
            buffer.push(b',');
        }
        first = false;
        write_text(member.name, buffer);
        buffer.push(b':');
        write_kind(value, &member.kind, buffer)?;
    }
    buffer.push(b'}');
    Ok(())
}

fn write_kind(value: &Value, kind: &Kind, buffer: &mut Vec<u8>) -> Result<(), Mismatch> {
    match (value, kind) {
        (Value::Text(text), _) => write_text(text, buffer),
        (Value::Bytes(bytes), _) => write_text(&String::from_utf8_lossy(bytes), buffer),
        (Value::Integer(number), _) => number.write_json(buffer, Nulls::Omitted),
        (Value::Unsigned(number), _) => number.write_json(buffer, Nulls::Omitted),
        (Value::Float(number), _) => number.write_json(buffer, Nulls::Omitted),
        (Value::Boolean(boolean), _) => boolean.write_json(buffer, Nulls::Omitted),
        (Value::List(items), Kind::List(item)) => {
            buffer.push(b'[');
            for (at, value) in items.iter().enumerate() {
                if at > 0 {
                    buffer.push(b',');
                }
                write_kind(value, item, buffer)?;
            }
            buffer.push(b']');
        }
        (value @ Value::Structure(_), Kind::Structure(shape)) => write_value(value, shape, buffer)?,
        _ => return Err(Mismatch),
    }
    Ok(())
}

/// Appends a JSON string literal.
pub fn write_text(text: &str, buffer: &mut Vec<u8>) {
    // Looking at every byte, with no early end, is what the compiler does in few steps.
    let is_plain = |byte| !matches!(byte, 0..b' ' | b'"' | b'\\');
    if text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        buffer.reserve(text.len() + 2);
        buffer.push(b'"');
        buffer.extend_from_slice(text.as_bytes());
        buffer.push(b'"');
        return;
    }
    // Writing a &str into a Vec has no way to fail.
    let _ = serde_json::to_writer(buffer, text);
}

macro_rules! scalar {
    ($type:ty, $($variant:ident),+) => {
        impl FromValue for $type {
            fn from_value(value: Value) -> Result<Self, Mismatch> {
                match value {
                    $(Value::$variant(inner) => Ok(inner),)+
                    _ => Err(Mismatch),
                }
            }
        }
    };
}
scalar!(String, Text);
scalar!(i64, Integer);
scalar!(u64, Unsigned);
scalar!(f64, Float);
scalar!(bool, Boolean);

/// A binary member. JSON has no bytes, and the platform takes none in JSON; written as JSON, for a reader, it is text with
/// U+FFFD for what is not UTF-8.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Binary(pub Vec<u8>);

impl FromValue for Binary {
    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Bytes(bytes) => Ok(Self(bytes)),
            _ => Err(Mismatch),
        }
    }
}

impl WriteJson for Binary {
    fn write_json(&self, buffer: &mut Vec<u8>, _: Nulls) {
        write_text(&String::from_utf8_lossy(&self.0), buffer);
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Absent => Ok(None),
            present => T::from_value(present).map(Some),
        }
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::List(items) => items.into_iter().map(T::from_value).collect(),
            _ => Err(Mismatch),
        }
    }
}

impl WriteJson for String {
    fn write_json(&self, buffer: &mut Vec<u8>, _: Nulls) {
        write_text(self, buffer);
    }
}

macro_rules! displayed {
    ($($type:ty),+) => {$(
        impl WriteJson for $type {
            fn write_json(&self, buffer: &mut Vec<u8>, _: Nulls) {
                // Writing into a Vec has no way to fail.
                let _ = write!(buffer, "{self}");
            }
        }
    )+};
}
displayed!(i64, u64, bool);

impl WriteJson for f64 {
    fn write_json(&self, buffer: &mut Vec<u8>, _: Nulls) {
        // JSON has no infinities; serde_json writes null for them and keeps `1.0` a float.
        let _ = serde_json::to_writer(buffer, self);
    }
}

impl<T: WriteJson> WriteJson for Option<T> {
    fn write_json(&self, buffer: &mut Vec<u8>, nulls: Nulls) {
        match self {
            Some(value) => value.write_json(buffer, nulls),
            None => buffer.extend_from_slice(b"null"),
        }
    }

    fn is_none(&self) -> bool {
        self.is_none()
    }
}

impl<T: WriteJson> WriteJson for Vec<T> {
    fn write_json(&self, buffer: &mut Vec<u8>, nulls: Nulls) {
        buffer.push(b'[');
        for (at, item) in self.iter().enumerate() {
            if at > 0 {
                buffer.push(b',');
            }
            item.write_json(buffer, nulls);
        }
        buffer.push(b']');
    }
}

/// `FromValue` and `WriteJson` of a structure, for generated code.
macro_rules! structure_value {
    ($type:ident) => {
        impl FromValue for $type {
            fn from_value(value: Value) -> Result<Self, Mismatch> {
                <$type as Structure>::from_structure(value)
            }
        }
        impl WriteJson for $type {
            fn write_json(&self, buffer: &mut Vec<u8>, nulls: Nulls) {
                write_structure(self, buffer, nulls);
            }
        }
    };
}
pub(crate) use structure_value;

/// `Debug` that names a structure and shows none of its members: a request may hold a password.
macro_rules! opaque_debug {
    ($type:ident) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($type), " {..}"))
            }
        }
    };
}
pub(crate) use opaque_debug;

opaque_debug!(Binary);
