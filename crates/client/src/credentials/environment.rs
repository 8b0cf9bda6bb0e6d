//! Keys in environment variables.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{CredentialError, Credentials, Fetching, ProvideCredentials};

const SOURCE: &str = "environment";
/// The token's variable in tccli, Node and Terraform; the other SDKs read none. The first that is set counts.
const TOKEN_VARIABLES: [&str; 3] =
    ["TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SESSION_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN"];

/// Environment variables: the process's own, or given ones. An empty variable is an absent one.
#[derive(Clone)]
pub struct Variables(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Variables {..}")
    }
}

impl Default for Variables {
    fn default() -> Self {
        Self::of_process()
    }
}

impl Variables {
    /// The variables of this process, read when they are asked for.
    #[must_use]
    pub fn of_process() -> Self {
        Self(Arc::new(|name| std::env::var(name).ok()))
    }

    /// These and no others.
    #[must_use]
    pub fn given<N: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables: BTreeMap<String, String> =
            variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self(Arc::new(move |name| variables.get(name).cloned()))
    }

    /// The value of a variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }
}

/// `TENCENTCLOUD_SECRET_ID` and `TENCENTCLOUD_SECRET_KEY`, with `TENCENTCLOUD_TOKEN` (or `…_SESSION_TOKEN`, or `…_SECURITY_TOKEN`)
/// for a temporary key.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: Variables,
}

impl Environment {
    /// The key in `variables`.
    #[must_use]
    pub fn new(variables: Variables) -> Self {
        Self { variables }
    }

    fn read(&self) -> Result<Credentials, CredentialError> {
        let get = |name| self.variables.get(name);
        let (id, key) = match (get("TENCENTCLOUD_SECRET_ID"), get("TENCENTCLOUD_SECRET_KEY")) {
            (Some(id), Some(key)) => (id, key),
            (None, None) => {
                let reason = "TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY are not set".to_owned();
                return Err(CredentialError::Absent { source_name: SOURCE, reason });
            }
            _ => {
                let reason =
                    "only one of TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY is set".to_owned();
                return Err(CredentialError::Unusable { source_name: SOURCE, reason });
            }
        };
        let credentials = Credentials::new(id, key);
        let token = TOKEN_VARIABLES.into_iter().find_map(get);
        Ok(token.map_or(credentials.clone(), |token| credentials.with_token(token)))
    }
}

impl ProvideCredentials for Environment {
    fn provide(&self) -> Fetching<'_> {
        Box::pin(std::future::ready(self.read()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Credentials, CredentialError> {
        Environment::new(Variables::given(variables.iter().copied())).read()
    }

    #[test]
    fn a_whole_key_is_read_half_of_one_refused() {
        let (id, key) = (("TENCENTCLOUD_SECRET_ID", "i"), ("TENCENTCLOUD_SECRET_KEY", "k"));
        assert_eq!(read(&[id, key]).unwrap(), Credentials::new("i", "k"));
        for name in TOKEN_VARIABLES {
            assert_eq!(read(&[id, key, (name, "t")]).unwrap().token(), Some("t"), "{name}");
        }
        assert_eq!(read(&[id, key, ("TENCENTCLOUD_TOKEN", "")]).unwrap().token(), None);
        assert!(matches!(read(&[]), Err(CredentialError::Absent { .. })));
        assert!(matches!(read(&[("TENCENTCLOUD_SECRET_ID", "")]), Err(CredentialError::Absent { .. })));
        assert!(matches!(read(&[id]), Err(CredentialError::Unusable { .. })));
        assert!(matches!(read(&[key]), Err(CredentialError::Unusable { .. })));
    }
}
