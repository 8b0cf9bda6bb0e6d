//! The names that customers choose, and the rules they have to obey (`tcr.md` §1.1–1.4, §2.1).

use crate::error::Rule;

/// Names that no instance gets, since a host of that name under the registry suffix would pass for the platform's own.
const RESERVED: [&str; 6] = ["admin", "api-gateway", "console", "registry", "service", "tencentcloud"];

/// How the internal domain of an instance ends: `<name>-vpc.<suffix>`.
const INTERNAL_DOMAIN: &str = "-vpc";

/// The rule of [`namespace`].
pub(crate) const NAMESPACE: Rule = Rule {
    english: "must have 2 to 30 lower-case letters, digits and single separators (. _ -) between them",
    chinese: "长度须为2-30个字符，只能包含小写字母、数字及分隔符（. _ -），分隔符不能位于首尾或连续出现",
};
/// The rule of [`repository`].
pub(crate) const REPOSITORY: Rule = Rule {
    english: "must have 2 to 200 lower-case letters, digits, separators (. _ -) and levels (/)",
    chinese: "长度须为2-200个字符，只能包含小写字母、数字、分隔符（. _ -）及层级符（/）",
};
/// The rule of [`policy`].
pub(crate) const POLICY: Rule = Rule {
    english: "must have 1 to 50 characters, none of them a control character",
    chinese: "长度须为1-50个字符，且不能包含控制字符",
};
/// The rule of [`domain`].
pub(crate) const DOMAIN: Rule = Rule {
    english: "must be a host name, with or without a port",
    chinese: "须为合法域名，可带端口",
};

/// Why an instance cannot have a name, other than that it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstanceNameFault {
    /// It breaks the rule: 4 to 50 lower-case letters, digits and `-`, which is neither first nor last. The platform's guide says 5; here
    /// `demo` is a name, because walk-throughs use it and a shorter name can disturb nobody else's.
    Illegal,
    /// The platform keeps it for itself.
    Reserved,
}

/// Checks the name of an instance, which becomes a label of its host.
pub(crate) fn instance(name: &str) -> Result<(), InstanceNameFault> {
    let legal = (4..=50).contains(&name.len())
        && name.bytes().all(|byte| is_word(byte) || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if !legal {
        return Err(InstanceNameFault::Illegal);
    }
    if RESERVED.contains(&name) || name.ends_with(INTERNAL_DOMAIN) {
        return Err(InstanceNameFault::Reserved);
    }
    Ok(())
}

/// Whether a namespace may have the name.
pub(crate) fn namespace(name: &str) -> bool {
    (2..=30).contains(&name.len()) && is_component(name)
}

/// Whether a repository may have the name, without its namespace.
pub(crate) fn repository(namespace: &str, name: &str) -> bool {
    (2..=200).contains(&name.len()) && rookery_registry::is_repository_name(&format!("{namespace}/{name}"))
}

/// Whether a signature policy may have the name. The user guide allows less than the interface's own example (`library 加签`).
pub(crate) fn policy(name: &str) -> bool {
    (1..=50).contains(&name.chars().count()) && !name.trim().is_empty() && !name.chars().any(char::is_control)
}

/// Whether images can be pulled by the host, as far as its form tells: labels of letters, digits and `-`, and a port or none.
pub(crate) fn domain(host: &str) -> bool {
    let (host, port) = host.rsplit_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253
        && host.contains('.')
        && host.split('.').all(is_label)
        && port.is_none_or(|port| !port.starts_with('+') && port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Words joined by single separators.
pub(crate) fn is_component(name: &str) -> bool {
    name.split(['.', '_', '-']).all(|word| !word.is_empty() && word.bytes().all(is_word))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn instance_names_are_labels_of_4_to_50() {
        for name in ["demo", "a-b-c", "0build", &"a".repeat(50)] {
            assert_eq!(instance(name), Ok(()), "{name}");
        }
        for name in ["dem", &"a".repeat(51), "-demo1", "demo1-", "Demo1", "demo_1", "demo.1", "démo1", ""] {
            assert_eq!(instance(name), Err(InstanceNameFault::Illegal), "{name}");
        }
        for name in ["admin", "console", "build-vpc"] {
            assert_eq!(instance(name), Err(InstanceNameFault::Reserved), "{name}");
        }
    }

    #[test]
    fn namespaces_are_words_with_single_separators() {
        for name in ["ab", "library", "a.b", "a_b-c", "0a", &"a".repeat(30)] {
            assert!(namespace(name), "{name}");
        }
        for name in ["a", &"a".repeat(31), "a..b", "a._b", "-ab", "ab-", "a/b", "Ab", "a b", ""] {
            assert!(!namespace(name), "{name}");
        }
    }

    #[test]
    fn repositories_may_have_levels() {
        for name in ["app", "a/b/c", "my__app", "ab", &"a".repeat(200)] {
            assert!(repository("library", name), "{name}");
        }
        for name in ["a", &"a".repeat(201), "/app", "app/", "a//b", "App", "a b", ".app"] {
            assert!(!repository("library", name), "{name}");
        }
    }

    #[test]
    fn policies_may_be_called_as_the_examples_call_them() {
        for name in ["library signing", "library 加签", "x", &"签".repeat(50)] {
            assert!(policy(name), "{name}");
        }
        for name in ["", " ", "a\nb", &"签".repeat(51)] {
            assert!(!policy(name), "{name:?}");
        }
    }

    #[test]
    fn domains_are_hosts() {
        for host in ["registry.example.com", "r.example:5000", "a.b"] {
            assert!(domain(host), "{host}");
        }
        for host in
            ["", "localhost", "https://a.b", "a.b/c", "a..b", "-a.b", "a.b:", "a.b:0", "a.b:99999", "a.b:+1"]
        {
            assert!(!domain(host), "{host}");
        }
    }

    proptest! {
        #[test]
        fn a_namespace_can_begin_a_repository_name(name in "[a-z0-9._-]{0,32}") {
            let repository = format!("{name}/app");
            prop_assert!(!namespace(&name) || rookery_registry::is_repository_name(&repository));
        }
    }
}
