//! The ways in which clients read the same request when they sign it.

use std::fmt;

/// One way of turning the request on the wire into a canonical request.
///
/// Each departs from [`Reading::AsSent`] in the parts of the request that some client leaves out of its signature; those
/// parts are then not protected by it. A reading is tried only where it yields another text than the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reading {
    /// Path, host and header values exactly as sent: Python, tccli, Go, Java, PHP, .NET, C++, Ruby, Terraform.
    AsSent,
    /// The host without its port. The Node SDK signs `URL.hostname` although it sends `Host: name:port`.
    HostWithoutPort,
    /// The path `/` whatever the path is. Go and Java sign it for an endpoint that carries a path.
    FixedPath,
    /// Header values in lower case: clients written by hand after the documented rule, such as the documented example
    /// that signs `x-tc-action:describeinstances`.
    LowercasedValues,
    /// The documented rules to the letter, path `/` and values in lower case: a client written by hand that is pointed at
    /// an endpoint with a path.
    FixedPathLowercasedValues,
}

impl Reading {
    /// All readings, in the order in which [`verify`](super::verify) tries them.
    pub const ORDER: [Self; 5] = [
        Self::AsSent,
        Self::HostWithoutPort,
        Self::FixedPath,
        Self::LowercasedValues,
        Self::FixedPathLowercasedValues,
    ];

    /// A stable name in kebab case, for traces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsSent => "as-sent",
            Self::HostWithoutPort => "host-without-port",
            Self::FixedPath => "fixed-path",
            Self::LowercasedValues => "lowercased-values",
            Self::FixedPathLowercasedValues => "fixed-path-lowercased-values",
        }
    }

    pub(super) const fn drops_port(self) -> bool {
        matches!(self, Self::HostWithoutPort)
    }

    pub(super) const fn fixes_path(self) -> bool {
        matches!(self, Self::FixedPath | Self::FixedPathLowercasedValues)
    }

    pub(super) const fn lowers_values(self) -> bool {
        matches!(self, Self::LowercasedValues | Self::FixedPathLowercasedValues)
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
