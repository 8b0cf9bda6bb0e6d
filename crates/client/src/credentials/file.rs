//! Keys in files: the SDKs' ini file and tccli's profiles.

use std::io::ErrorKind;
use std::path::PathBuf;

use serde::Deserialize;

use super::{AssumedRole, CredentialError, Credentials, Fetching, ProvideCredentials, Sts, Variables};

/// The ini file of the official SDKs: `TENCENTCLOUD_CREDENTIALS_FILE`, else `~/.tencentcloud/credentials`, else
/// `/etc/tencentcloud/credentials`.
///
/// ```ini
/// [default]
/// secret_id = AKID…
/// secret_key = …
/// token = …          ; of a temporary key
/// role_arn = …       ; a role to assume with that key
/// ```
#[derive(Clone, Debug)]
pub struct IniFile {
    places: Vec<PathBuf>,
    profile: String,
    sts: Sts,
}

const INI: &str = "credentials file";

impl IniFile {
    /// The file at its usual places, as `variables` (`HOME`) say them; `sts` is asked for roles.
    #[must_use]
    pub fn new(variables: &Variables, sts: Sts) -> Self {
        let places = if let Some(path) = variables.get("TENCENTCLOUD_CREDENTIALS_FILE") {
            vec![path.into()]
        } else {
            let home =
                variables.get("HOME").map(|home| PathBuf::from(home).join(".tencentcloud/credentials"));
            home.into_iter().chain([PathBuf::from("/etc/tencentcloud/credentials")]).collect()
        };
        Self { places, profile: "default".to_owned(), sts }
    }

    /// The section to read; `default` unless chosen.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = profile.into();
        self
    }

    async fn read(&self) -> Result<Credentials, CredentialError> {
        for path in &self.places {
            let Some(text) = text_of(path, INI).await? else { continue };
            let unusable = |reason: String| CredentialError::Unusable {
                source_name: INI,
                reason: format!("{}: {reason}", path.display()),
            };
            let section = section(&text, &self.profile).map_err(unusable)?;
            let value = |name: &str| {
                section
                    .iter()
                    .rev()
                    .find(|(n, _)| n == name)
                    .map(|(_, v)| v.clone())
                    .filter(|v| !v.is_empty())
            };
            let (Some(id), Some(key)) = (value("secret_id"), value("secret_key")) else {
                return Err(unusable(format!("[{}] needs secret_id and secret_key", self.profile)));
            };
            let mut credentials = Credentials::new(id, key);
            if let Some(token) = value("token") {
                credentials = credentials.with_token(token);
            }
            return match value("role_arn") {
                Some(arn) => AssumedRole::new(self.sts.clone(), credentials, arn).provide().await,
                None => Ok(credentials),
            };
        }
        let places: Vec<_> = self.places.iter().map(|place| place.display().to_string()).collect();
        let reason = format!("no {}", places.join(" and no "));
        Err(CredentialError::Absent { source_name: INI, reason })
    }
}

impl ProvideCredentials for IniFile {
    fn provide(&self) -> Fetching<'_> {
        Box::pin(self.read())
    }
}

/// tccli's files: `~/.tccli/PROFILE.credential`, JSON with `secretId`, `secretKey`, `token`, `role-arn` and `role-session-name`.
/// The profile is `TCCLI_PROFILE`, else `default`.
#[derive(Clone, Debug)]
pub struct TccliProfile {
    home: Option<String>,
    profile: String,
    sts: Sts,
}

const TCCLI: &str = "tccli profile";

#[derive(Deserialize)]
struct TccliFile {
    #[serde(rename = "secretId", default)]
    secret_id: String,
    #[serde(rename = "secretKey", default)]
    secret_key: String,
    token: Option<String>,
    #[serde(rename = "role-arn")]
    role_arn: Option<String>,
    #[serde(rename = "role-session-name")]
    session: Option<String>,
}

impl TccliProfile {
    /// The profile in the home directory that `variables` (`HOME`) say; `sts` is asked for roles.
    #[must_use]
    pub fn new(variables: &Variables, sts: Sts) -> Self {
        let profile = variables.get("TCCLI_PROFILE").unwrap_or_else(|| "default".to_owned());
        Self { home: variables.get("HOME"), profile, sts }
    }

    /// Another profile.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = profile.into();
        self
    }

    async fn read(&self) -> Result<Credentials, CredentialError> {
        let absent = |reason| CredentialError::Absent { source_name: TCCLI, reason };
        let home = self.home.as_ref().ok_or_else(|| absent("HOME is not set".to_owned()))?;
        let path = PathBuf::from(home).join(".tccli").join(format!("{}.credential", self.profile));
        let text = text_of(&path, TCCLI).await?.ok_or_else(|| absent(format!("no {}", path.display())))?;
        let unusable = |reason: String| CredentialError::Unusable {
            source_name: TCCLI,
            reason: format!("{}: {reason}", path.display()),
        };
        let file: TccliFile = serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
        if file.secret_id.is_empty() || file.secret_key.is_empty() {
            return Err(unusable("it needs secretId and secretKey".to_owned()));
        }
        let mut credentials = Credentials::new(file.secret_id, file.secret_key);
        if let Some(token) = file.token.filter(|token| !token.is_empty()) {
            credentials = credentials.with_token(token);
        }
        let Some(arn) = file.role_arn.filter(|arn| !arn.is_empty()) else { return Ok(credentials) };
        let mut role = AssumedRole::new(self.sts.clone(), credentials, arn);
        if let Some(session) = file.session.filter(|session| !session.is_empty()) {
            role = role.session(session);
        }
        role.provide().await
    }
}

impl ProvideCredentials for TccliProfile {
    fn provide(&self) -> Fetching<'_> {
        Box::pin(self.read())
    }
}

/// The text of a file; `None` where there is none.
async fn text_of(path: &PathBuf, source_name: &'static str) -> Result<Option<String>, CredentialError> {
    match tokio::fs::read_to_string(path).await {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => {
            Err(CredentialError::Unusable { source_name, reason: format!("{}: {error}", path.display()) })
        }
    }
}

/// The names and values of one section of an ini text. Names are in lower case, values may be in double quotes, lines that begin
/// with `#` or `;` are comments.
fn section(text: &str, wanted: &str) -> Result<Vec<(String, String)>, String> {
    let mut inside = false;
    let mut found = false;
    let mut values = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name.strip_suffix(']').ok_or(format!("line {}: no `]`", number + 1))?;
            inside = name.trim() == wanted;
            found |= inside;
        } else if inside {
            let (name, value) = line.split_once('=').ok_or(format!("line {}: no `=`", number + 1))?;
            let value = value.trim();
            let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
            values.push((name.trim().to_ascii_lowercase(), bare.to_owned()));
        }
    }
    if found { Ok(values) } else { Err(format!("no section [{wanted}]")) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn variables(home: &Path) -> Variables {
        Variables::given([("HOME", home.to_str().unwrap())])
    }

    fn sts() -> Sts {
        Sts::new("http://127.0.0.1:1").unwrap()
    }

    #[tokio::test]
    async fn the_ini_file_gives_the_key_of_the_profile() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(".tencentcloud/credentials");
        fs::create_dir(file.parent().unwrap()).unwrap();
        let text = "# keys\n[default]\nSecret_ID = AKID1\nsecret_key=\"k=1\"\n\n[other]\nsecret_id=AKID2\nsecret_key=k2\ntoken=t\n[half]\nsecret_id=x\n";
        fs::write(&file, text).unwrap();
        let ini = IniFile::new(&variables(home.path()), sts());
        assert_eq!(ini.provide().await.unwrap(), Credentials::new("AKID1", "k=1"));
        let other = ini.clone().profile("other").provide().await.unwrap();
        assert_eq!(other, Credentials::new("AKID2", "k2").with_token("t"));
        for profile in ["half", "none"] {
            let refused = ini.clone().profile(profile).provide().await;
            assert!(matches!(refused, Err(CredentialError::Unusable { .. })), "{profile}");
        }
        for broken in ["[default\n", "[default]\nsecret_id\n"] {
            fs::write(&file, broken).unwrap();
            assert!(matches!(ini.provide().await, Err(CredentialError::Unusable { .. })), "{broken}");
        }
    }

    #[tokio::test]
    async fn a_named_file_is_the_only_place() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("keys.ini");
        let variables =
            Variables::given([("TENCENTCLOUD_CREDENTIALS_FILE", path.to_str().unwrap()), ("HOME", "/")]);
        let ini = IniFile::new(&variables, sts());
        assert!(matches!(ini.provide().await, Err(CredentialError::Absent { .. })));
        fs::write(&path, "[default]\nsecret_id=i\nsecret_key=k\n").unwrap();
        assert_eq!(ini.provide().await.unwrap(), Credentials::new("i", "k"));
    }

    #[tokio::test]
    async fn tcclis_profiles_give_their_keys() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join(".tccli");
        fs::create_dir(&directory).unwrap();
        let tccli = TccliProfile::new(&variables(home.path()), sts());
        assert!(matches!(tccli.provide().await, Err(CredentialError::Absent { .. })));
        fs::write(directory.join("default.credential"), r#"{"secretId":"i","secretKey":"k","token":null}"#)
            .unwrap();
        assert_eq!(tccli.provide().await.unwrap(), Credentials::new("i", "k"));
        fs::write(directory.join("ci.credential"), r#"{"secretId":"i2","secretKey":"k2","token":"t"}"#)
            .unwrap();
        let ci = Variables::given([("HOME", home.path().to_str().unwrap()), ("TCCLI_PROFILE", "ci")]);
        let ci = TccliProfile::new(&ci, sts()).provide().await.unwrap();
        assert_eq!(ci, Credentials::new("i2", "k2").with_token("t"));
        for (profile, text) in [("empty", r#"{"secretId":""}"#), ("broken", "no json")] {
            fs::write(directory.join(format!("{profile}.credential")), text).unwrap();
            let refused = tccli.clone().profile(profile).provide().await;
            assert!(matches!(refused, Err(CredentialError::Unusable { .. })), "{profile}");
        }
        let homeless = TccliProfile::new(&Variables::given([("A", "b")]), sts());
        assert!(matches!(homeless.provide().await, Err(CredentialError::Absent { .. })));
    }
}
