//! The static shapes of the contract: what the models say of each structure, as data that lives in the binary.

/// A product at one version, the unit that `X-TC-Version` names.
#[derive(Debug)]
pub struct ProductShape {
    /// The service name, for instance `tcr`: the first label of the address.
    pub name: &'static str,
    /// `YYYY-MM-DD`.
    pub version: &'static str,
    /// Every action of the model, sorted by name.
    pub actions: &'static [ActionShape],
    /// Every business error code of the model, sorted.
    pub errors: &'static [&'static str],
}

impl ProductShape {
    /// The action of that name; names are case-sensitive.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&'static ActionShape> {
        self.actions.get(self.position(name)?)
    }

    /// The position of that action in [`actions`](Self::actions), the number by which it is registered.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.actions.binary_search_by(|action| action.name.cmp(name)).ok()
    }
}

/// One action.
#[derive(Debug)]
pub struct ActionShape {
    /// The name as `X-TC-Action` carries it.
    pub name: &'static str,
    /// The request.
    pub input: &'static StructureShape,
    /// The reply, without its `RequestId`.
    pub output: &'static StructureShape,
    /// Whether clients call it with `Authorization: SKIP` (two actions of STS).
    pub unsigned: bool,
    /// Whether the platform still offers it.
    pub status: Status,
}

impl ActionShape {
    /// Whether the request carries bytes: such an action takes multipart or octet-stream bodies, and nothing else
    /// (`protocol.md` §0, point 5). The platform's binary members are all at the top.
    #[must_use]
    pub fn takes_bytes(&self) -> bool {
        self.input.members.iter().any(|member| matches!(member.kind, Kind::Binary))
    }
}

/// Whether the platform still offers an action (`protocol.md` §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As ever.
    Online,
    /// It works, and its replies say that it will go.
    Deprecated,
    /// It is gone, and calls are told so.
    Offline,
}

/// A structure and its members, in the model's order.
#[derive(Debug)]
pub struct StructureShape {
    /// The structure's name in the model.
    pub name: &'static str,
    /// The members.
    pub members: &'static [MemberShape],
}

impl StructureShape {
    /// Position of the member of that name; names are case-sensitive.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.name == name)
    }
}

/// One member of a structure.
#[derive(Debug)]
pub struct MemberShape {
    /// The name on the wire.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// A request without it is refused.
    pub required: bool,
    /// A reply may carry null here.
    pub nullable: bool,
    /// A reply always carries it.
    pub always: bool,
}

/// What a member holds (the platform's data types).
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// UTF-8 text.
    String,
    /// `2022-01-01`.
    Date,
    /// `2022-01-01 00:00:00`.
    DateTime,
    /// `2022-01-01T00:00:00+08:00`.
    DateTimeIso,
    /// Bytes, only in multipart and octet-stream requests.
    Binary,
    /// A signed 64-bit integer.
    Integer,
    /// An unsigned 64-bit integer.
    Unsigned,
    /// A double.
    Float,
    /// `true` or `false`.
    Boolean,
    /// A list of one kind.
    List(&'static Kind),
    /// An object.
    Structure(&'static StructureShape),
}

impl Kind {
    /// The word that the platform's type errors use for this kind.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::String | Self::Date | Self::DateTime | Self::DateTimeIso => "string",
            Self::Binary => "binary",
            Self::Integer => "int64",
            Self::Unsigned => "uint64",
            Self::Float => "float",
            Self::Boolean => "bool",
            Self::List(_) => "list",
            Self::Structure(_) => "object",
        }
    }
}
