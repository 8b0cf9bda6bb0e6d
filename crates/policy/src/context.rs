//! What a condition can ask about a request.

use std::borrow::Cow;
use std::net::IpAddr;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::instant;

/// The circumstances of a request, by their keys: `qcs:ip`, `qcs:current_time`, `qcs:resource_tag`, …
///
/// A tag is the text `key&value`. Keys are case-sensitive.
pub trait Context {
    /// The values of a key; none where it is absent.
    fn values(&self, key: &str) -> Vec<Value<'_>>;
}

/// No circumstances at all.
impl Context for () {
    fn values(&self, _: &str) -> Vec<Value<'_>> {
        Vec::new()
    }
}

/// Texts by their keys.
impl Context for [(&str, &str)] {
    fn values(&self, key: &str) -> Vec<Value<'_>> {
        self.iter().filter(|(name, _)| *name == key).map(|(_, value)| Value::Text((*value).into())).collect()
    }
}

/// One value of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text; read as whatever an operator needs.
    Text(Cow<'a, str>),
    /// A moment.
    Time(OffsetDateTime),
    /// An address.
    Address(IpAddr),
    /// True or false.
    Boolean(bool),
}

impl Value<'_> {
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Time(at) => at.format(&Rfc3339).unwrap_or_default().into(),
            Self::Address(address) => address.to_string().into(),
            Self::Boolean(value) => value.to_string().into(),
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            Self::Time(_) | Self::Address(_) | Self::Boolean(_) => None,
        }
    }

    pub(crate) fn instant(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Time(at) => Some(*at),
            Self::Text(text) => instant::parse(text),
            Self::Address(_) | Self::Boolean(_) => None,
        }
    }

    /// The address; one of IPv4 that came in the clothes of IPv6 is one of IPv4.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address.to_canonical()),
            Self::Text(text) => text.parse().ok().map(|address: IpAddr| address.to_canonical()),
            Self::Time(_) | Self::Boolean(_) => None,
        }
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Text(text) => boolean(text),
            Self::Time(_) | Self::Address(_) => None,
        }
    }
}

/// `true` or `false`, in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}
