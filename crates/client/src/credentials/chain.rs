//! Sources asked in turn.

use super::{
    CredentialError, Credentials, Environment, Fetching, IniFile, MachineRole, ProvideCredentials, Refreshed,
    Sts, TccliProfile, Variables, WebIdentity,
};
use crate::error::ClientError;

/// The first source that has a key gives it. A source whose key is broken ends the search with its error.
#[derive(Debug, Default)]
pub struct Chain {
    sources: Vec<Box<dyn ProvideCredentials>>,
}

impl Chain {
    /// No source.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the official SDKs look, in their order: environment, ini file, tccli's profile, the role of the machine, the web identity
    /// of a pod. `profile` chooses among those of the files.
    pub fn standard(profile: Option<&str>) -> Result<Self, ClientError> {
        let (variables, sts) = (Variables::of_process(), Sts::default());
        Ok(Self::local(&variables, &sts, profile)
            .then(Refreshed::new(MachineRole::new()?))
            .then(Refreshed::new(WebIdentity::new(variables, sts))))
    }

    /// What this machine itself holds, without asking any service unless a file names a role: environment, ini file, tccli's profile.
    /// A `profile` that is given is looked for in the files only.
    #[must_use]
    pub fn local(variables: &Variables, sts: &Sts, profile: Option<&str>) -> Self {
        let (mut ini, mut tccli) =
            (IniFile::new(variables, sts.clone()), TccliProfile::new(variables, sts.clone()));
        let Some(profile) = profile else {
            return Self::new()
                .then(Environment::new(variables.clone()))
                .then(Refreshed::new(ini))
                .then(Refreshed::new(tccli));
        };
        (ini, tccli) = (ini.profile(profile), tccli.profile(profile));
        Self::new().then(Refreshed::new(tccli)).then(Refreshed::new(ini))
    }

    /// Another source, asked after those before it.
    #[must_use]
    pub fn then(mut self, source: impl ProvideCredentials + 'static) -> Self {
        self.sources.push(Box::new(source));
        self
    }

    async fn first(&self) -> Result<Credentials, CredentialError> {
        let mut absent = Vec::new();
        for source in &self.sources {
            match source.provide().await {
                Err(error @ CredentialError::Absent { .. }) => absent.push(error.to_string()),
                ended => return ended,
            }
        }
        Err(CredentialError::Exhausted(absent))
    }
}

impl ProvideCredentials for Chain {
    fn provide(&self) -> Fetching<'_> {
        Box::pin(self.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Broken;

    impl ProvideCredentials for Broken {
        fn provide(&self) -> Fetching<'_> {
            let error = CredentialError::Unusable { source_name: "broken", reason: "broken".to_owned() };
            Box::pin(std::future::ready(Err(error)))
        }
    }

    fn nothing() -> Environment {
        Environment::new(Variables::given([("A", "b")]))
    }

    #[tokio::test]
    async fn the_first_key_counts_and_a_broken_source_ends_the_search() {
        let key = Credentials::new("AKID1", "k");
        let found = Chain::new().then(nothing()).then(key.clone()).then(Broken).provide().await;
        assert_eq!(found.unwrap(), key);
        let broken = Chain::new().then(Broken).then(key).provide().await;
        assert!(matches!(broken, Err(CredentialError::Unusable { .. })));
        let refused = Chain::new().then(nothing()).provide().await.unwrap_err();
        assert!(refused.to_string().contains("TENCENTCLOUD_SECRET_ID"), "{refused}");
    }

    #[tokio::test]
    async fn a_chosen_profile_is_not_overridden_by_the_environment() {
        let home = tempfile::tempdir().unwrap();
        let variables = Variables::given([
            ("TENCENTCLOUD_SECRET_ID", "AKIDenv"),
            ("TENCENTCLOUD_SECRET_KEY", "k"),
            ("HOME", home.path().to_str().unwrap()),
        ]);
        let sts = Sts::default();
        let found = Chain::local(&variables, &sts, None).provide().await.unwrap();
        assert_eq!(found.secret_id(), "AKIDenv");
        std::fs::create_dir(home.path().join(".tencentcloud")).unwrap();
        let file = home.path().join(".tencentcloud/credentials");
        std::fs::write(file, "[ci]\nsecret_id=AKIDci\nsecret_key=k\n").unwrap();
        let found = Chain::local(&variables, &sts, Some("ci")).provide().await.unwrap();
        assert_eq!(found.secret_id(), "AKIDci");
    }
}
