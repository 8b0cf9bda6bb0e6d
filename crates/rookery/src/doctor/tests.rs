//! The doctor in homes of its own: every finding, with a resolver, a cloud and a directory that the test made.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use super::*;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const CLOUD: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const OURS: &str = "AKIDours";

/// A machine: its names, its variables, its files.
struct Machine {
    directory: tempfile::TempDir,
    names: Vec<(&'static str, IpAddr)>,
    variables: Vec<(&'static str, String)>,
    https_port: u16,
}

impl Machine {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for made in ["home", "etc/tencentcloud", "work"] {
            fs::create_dir_all(directory.path().join(made)).unwrap();
        }
        fs::write(directory.path().join("ca.pem"), "OURS\n").unwrap();
        Self { directory, names: Vec::new(), variables: Vec::new(), https_port: 8443 }
    }

    /// The cloud's names go to `address`.
    fn names(mut self, address: IpAddr) -> Self {
        for product in rookery_api::PRODUCTS {
            self.names
                .push((Box::leak(format!("{}.tencentcloudapi.com", product.name).into_boxed_str()), address));
        }
        self.names.push(("tcr.ap-guangzhou.tencentcloudapi.com", address));
        self.names.push(("cdb.tencentcloudapi.com", address));
        self.names.push(("demo.tencentcloudcr.com", address));
        self
    }

    fn name(mut self, name: &'static str, address: IpAddr) -> Self {
        self.names.push((name, address));
        self
    }

    fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.replace("DIR", self.directory.path().to_str().unwrap())));
        self
    }

    fn proxied(self) -> Self {
        self.variable("http_proxy", "http://127.0.0.1:8080").variable("HTTPS_PROXY", "http://127.0.0.1:8080")
    }

    fn file(self, path: &str, text: &str) -> Self {
        let path = self.directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn findings(&self) -> Vec<Finding> {
        let at = |path: &str| Path::join(self.directory.path(), path);
        let cloud = Endpoints {
            http: "http://127.0.0.1:8080".to_owned(),
            https: format!("https://127.0.0.1:{}", self.https_port),
            registry: "127.0.0.1:8080".to_owned(),
            registry_suffix: "cr.localhost".to_owned(),
            region: "ap-guangzhou".to_owned(),
            ca: at("ca.pem"),
            pid: 1,
        };
        let variables: HashMap<String, String> =
            self.variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let known = self.names.iter().map(|(name, address)| ((*name).to_owned(), vec![*address])).collect();
        examine(&Surroundings {
            home: at("home"),
            etc: at("etc"),
            working_directory: at("work"),
            roads: Roads::new(&variables, Some(&cloud), Resolver::fixed(known)),
            asker: Box::new(|key| match key.id.as_str() {
                OURS if key.secret == "s" => Standing::Known,
                OURS => Standing::Refused("AuthFailure.SignatureFailure".to_owned()),
                _ => Standing::Foreign,
            }),
            variables,
            cloud: Some(cloud),
        })
    }

    /// What was found of `mark` with all of `words` in one line.
    fn has(&self, mark: Mark, words: &[&str]) -> bool {
        let findings = self.findings();
        let found = findings.iter().any(|finding| {
            finding.mark == mark && words.iter().all(|word| finding.line(false).contains(word))
        });
        assert!(found, "no {mark:?} with {words:?} in {findings:#?}");
        found
    }

    fn leaves_nothing(&self) -> bool {
        let findings = self.findings();
        assert!(findings.iter().all(|finding| finding.mark != Mark::Leaves), "{findings:#?}");
        true
    }
}

#[test]
fn names_of_the_cloud_leave_unless_something_holds_them() {
    let away = Machine::new().names(CLOUD);
    assert!(away.has(Mark::Leaves, &[".tencentcloudapi.com", "192.0.2.1", "rookery env --proxy"]));
    let proxied = Machine::new().names(CLOUD).proxied();
    assert!(proxied.leaves_nothing() && proxied.has(Mark::Fine, &["through the proxy"]));
    let offline = Machine::new();
    assert!(offline.leaves_nothing() && offline.has(Mark::Check, &["does not resolve"]));
    let mut hosts = Machine::new().names(HERE);
    assert!(hosts.leaves_nothing() && hosts.has(Mark::Check, &["port 443", "--https 127.0.0.1:443"]));
    hosts.https_port = 443;
    assert!(hosts.leaves_nothing() && hosts.has(Mark::Fine, &["leads here"]));
}

#[test]
fn proxies_are_rookery_or_not() {
    let foreign = Machine::new().variable("https_proxy", "http://me:secret@proxy.example:3128");
    assert!(foreign.has(Mark::Leaves, &["https_proxy is http://proxy.example:3128", "unset https_proxy"]));
    assert!(foreign.findings().iter().all(|finding| !finding.line(false).contains("secret@")));
    // The SDK of Node would pass by.
    let upper = |machine: Machine| {
        machine.variable("HTTP_PROXY", "http://127.0.0.1:8080").variable("HTTPS_PROXY", "127.0.0.1:8080")
    };
    assert!(upper(Machine::new().names(CLOUD)).has(Mark::Leaves, &["http_proxy is not set", "Node"]));
    assert!(upper(Machine::new()).has(Mark::Check, &["http_proxy is not set"]));
    // Another port of this machine is another proxy.
    assert!(
        Machine::new()
            .variable("HTTP_PROXY", "127.0.0.1:3128")
            .has(Mark::Leaves, &["HTTP_PROXY is 127.0.0.1:3128"])
    );
    for list in ["localhost,.tencentcloudapi.com", "tencentcloudapi.com", "*", "sts.tencentcloudapi.com:443"]
    {
        let kept = Machine::new().names(CLOUD).proxied().variable("NO_PROXY", list);
        assert!(kept.has(Mark::Leaves, &["NO_PROXY keeps"]), "{list}");
    }
    assert!(
        Machine::new()
            .names(CLOUD)
            .proxied()
            .variable("NO_PROXY", "localhost,127.0.0.1,api.com")
            .leaves_nothing()
    );
}

#[test]
fn addresses_in_variables_are_followed() {
    let domain = |domain, protocol| {
        Machine::new()
            .name("sts.tc.localhost", HERE)
            .name("sts.private.example", CLOUD)
            .variable("TENCENTCLOUD_DOMAIN", domain)
            .variable("TENCENTCLOUD_PROTOCOL", protocol)
    };
    assert!(domain("tc.localhost:8080", "HTTP").has(Mark::Fine, &["TENCENTCLOUD_DOMAIN=tc.localhost:8080"]));
    assert!(domain("tc.localhost", "HTTPS").has(Mark::Check, &["port 443"]));
    assert!(domain("private.example", "").has(Mark::Leaves, &["sts.private.example goes to 192.0.2.1"]));
    assert!(domain("gone.example", "").has(Mark::Check, &["does not resolve"]));
    let sops = Machine::new().names(CLOUD).variable("TENCENTCLOUD_KMS_ENDPOINT", "kms.tencentcloudapi.com");
    assert!(sops.has(Mark::Leaves, &["TENCENTCLOUD_KMS_ENDPOINT", "192.0.2.1"]));
    let role =
        Machine::new().name("metadata.tencentyun.com", CLOUD).variable("TENCENTCLOUD_CAM_ROLE_NAME", "r");
    assert!(role.has(Mark::Leaves, &["metadata.tencentyun.com", "unset TENCENTCLOUD_CAM_ROLE_NAME"]));
    let pod = Machine::new().names(CLOUD).variable("TKE_WEB_IDENTITY_TOKEN_FILE", "/x");
    assert!(pod.has(Mark::Leaves, &["TKE_WEB_IDENTITY_TOKEN_FILE"]));
    // Through the proxy, the metadata host is refused and nothing leaves.
    assert!(
        Machine::new().names(CLOUD).proxied().variable("TENCENTCLOUD_CAM_ROLE_NAME", "r").leaves_nothing()
    );
}

#[test]
fn keys_are_this_clouds_or_not() {
    let key = |id: &str, secret: &str| {
        Machine::new().variable("TENCENTCLOUD_SECRET_ID", id).variable("TENCENTCLOUD_SECRET_KEY", secret)
    };
    assert!(key(OURS, "s").has(Mark::Fine, &["TENCENTCLOUD_SECRET_ID: AKIDours… is a key of this cloud"]));
    assert!(key(OURS, "wrong").has(Mark::Check, &["AuthFailure.SignatureFailure"]));
    let foreign = key("AKIDsomebodyelse", "verysecret");
    assert!(foreign.has(Mark::Leaves, &["AKIDsome… is no key of this cloud"]));
    assert!(foreign.findings().iter().all(|finding| !finding.line(false).contains("verysecret")));
    for (path, text) in [
        ("home/.tencentcloud/credentials", "[default]\nsecret_id = AKIDother\nsecret_key = s\n"),
        ("etc/tencentcloud/credentials", "[default]\nsecret_id = AKIDother\nsecret_key = s\n"),
        ("home/.tccli/default.credential", r#"{"secretId":"AKIDother","secretKey":"s"}"#),
        ("home/.tccli/sso.credential", r#"{"type":"sso","secretId":"AKIDours","secretKey":"s"}"#),
        ("work/main.tf", "provider \"tencentcloud\" {\n  secret_id = \"AKIDother\"\n}\n"),
    ] {
        let name = path.rsplit('/').next().unwrap();
        assert!(Machine::new().file(path, text).has(Mark::Leaves, &[name]), "{path}");
    }
    let ours =
        Machine::new().file("home/.tccli/default.credential", r#"{"secretId":"AKIDours","secretKey":"s"}"#);
    assert!(ours.leaves_nothing() && ours.has(Mark::Fine, &["default.credential"]));
    let named = Machine::new()
        .file("home/k", "[a]\nsecret_id=AKIDother\n")
        .variable("TENCENTCLOUD_CREDENTIALS_FILE", "DIR/home/k");
    assert!(named.has(Mark::Leaves, &["home/k [a]"]));
}

#[test]
fn endpoints_of_tccli_are_followed() {
    let profile = |sts: &str| {
        let text = format!(
            r#"{{"_sys_param":{{"region":"x"}},"sts":{{"endpoint":"{sts}"}},"cdb":{{"endpoint":"cdb.tencentcloudapi.com"}},"cfs":{{"endpoint":"cfs.tencentcloudapi.com"}}}}"#
        );
        Machine::new().file("home/.tccli/default.configure", &text)
    };
    let away = profile("http://127.0.0.1:8080").names(CLOUD);
    assert!(away.has(Mark::Leaves, &["default.configure: 2 of 3 endpoints", "cdb"]));
    let all = profile("sts.tencentcloudapi.com").names(CLOUD);
    assert!(
        all.has(Mark::Leaves, &["default.configure: 3 of 3 endpoints", "tccli configure set sts.endpoint"])
    );
    let held = profile("sts.tencentcloudapi.com").names(CLOUD).proxied();
    assert!(held.leaves_nothing() && held.has(Mark::Fine, &["none of 3 endpoints"]));
    assert!(Machine::new().file("home/.tccli/default.configure", "{").has(Mark::Check, &["is not JSON"]));
    let moved = Machine::new()
        .file("work/t/x.credential", r#"{"secretId":"AKIDother"}"#)
        .variable("TENCENTCLOUD_SHARED_CREDENTIALS_DIR", "DIR/work/t");
    assert!(moved.has(Mark::Leaves, &["x.credential"]));
}

#[test]
fn settings_of_terraforms_provider_are_followed() {
    let provider = |inner: &str| {
        Machine::new()
            .names(CLOUD)
            .name("sts.tc.localhost", HERE)
            .file("work/main.tf", &format!("provider \"tencentcloud\" {{\n{inner}\n}}\n"))
    };
    assert!(
        provider("")
            .has(Mark::Leaves, &["main.tf:1: the provider's sts.tencentcloudapi.com goes to 192.0.2.1"])
    );
    let here = "protocol = \"HTTP\"\ndomain = \"tc.localhost:8080\"";
    assert!(provider(here).has(Mark::Fine, &["main.tf:1", "sts.tc.localhost leads here"]));
    // By environment, by a variable with a default, by one of a settings file, by one that is nowhere.
    let by_environment = provider("")
        .variable("TENCENTCLOUD_DOMAIN", "tc.localhost:8080")
        .variable("TENCENTCLOUD_PROTOCOL", "HTTP");
    assert!(by_environment.has(Mark::Fine, &["main.tf:1", "sts.tc.localhost leads here"]));
    let by_variable = provider("protocol = \"HTTP\"\ndomain = var.root");
    assert!(by_variable.has(Mark::Check, &["the provider's domain cannot be read"]));
    let by_variable =
        by_variable.file("work/v.tf", "variable \"root\" { default = \"tencentcloudapi.com\" }\n");
    assert!(by_variable.has(Mark::Leaves, &["main.tf:1"]));
    let by_variable = by_variable.file("work/terraform.tfvars", "root = \"tc.localhost:8080\"\n");
    assert!(by_variable.has(Mark::Fine, &["main.tf:1", "leads here"]));
    for name in ["allowed_account_ids", "forbidden_account_ids"] {
        let asked = provider(&format!("{here}\n{name} = [\"1\"]"));
        assert!(asked.has(Mark::Leaves, &[name, "whatever domain says"]));
        assert!(provider(&format!("{name} = [\"1\"]")).proxied().has(Mark::Fine, &[name]));
    }
    let state = Machine::new().file("work/b.tf", "terraform {\n  backend \"cos\" {}\n}\n");
    assert!(state.has(Mark::Leaves, &["b.tf:2", "COS"]));
}

#[test]
fn logins_at_registries_are_followed() {
    let login = r#"{"auths":{"demo.tencentcloudcr.com":{},"127.0.0.1:8080":{}}}"#;
    for path in ["home/.docker/config.json", "home/.config/containers/auth.json"] {
        assert!(
            Machine::new()
                .names(CLOUD)
                .file(path, login)
                .has(Mark::Leaves, &["demo.tencentcloudcr.com", "logout"])
        );
        assert!(Machine::new().names(HERE).file(path, login).leaves_nothing());
    }
    let helper = Machine::new()
        .name("ccr.ccs.tencentyun.com", CLOUD)
        .file("run/containers/auth.json", r#"{"credHelpers":{"ccr.ccs.tencentyun.com":"x"}}"#);
    assert!(helper.variable("XDG_RUNTIME_DIR", "DIR/run").has(Mark::Leaves, &["ccr.ccs.tencentyun.com"]));
}

#[test]
fn authorities_are_missed_where_tls_leads_here() {
    let proxied = Machine::new().proxied();
    assert!(proxied.has(Mark::Check, &["SSL_CERT_FILE is not set", "export SSL_CERT_FILE="]));
    let other = Machine::new()
        .proxied()
        .file("other.pem", "OTHER\n")
        .variable("NODE_EXTRA_CA_CERTS", "DIR/other.pem");
    assert!(other.has(Mark::Check, &["NODE_EXTRA_CA_CERTS", "does not hold"]));
    let bundle =
        Machine::new().proxied().file("all.pem", "OTHER\nOURS\n").variable("SSL_CERT_FILE", "DIR/all.pem");
    assert!(bundle.has(Mark::Fine, &["SSL_CERT_FILE holds"]));
}

#[test]
fn a_finding_is_one_line_and_coloured_only_when_asked() {
    let finding = Finding::leaves("a\nb\x1b[0m", "do");
    assert_eq!(finding.line(false), "leaves  a b [0m. Do: do");
    assert!(finding.line(true).starts_with("\x1b[31mleaves"));
}
