//! The names and texts that customers choose, and the rules they have to obey.

use crate::cam::error::Error;

/// The most bytes of a description or a remark.
const DESCRIPTION: usize = 300;

fn of_word_characters(name: &str, most: usize) -> bool {
    (1..=most).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte))
}

/// Whether a user may have the name.
pub(crate) fn user(name: &str) -> Result<(), Error> {
    if of_word_characters(name, 64) { Ok(()) } else { Err(Error::UserNameIllegal { name: name.to_owned() }) }
}

/// Whether a policy may have the name.
pub(crate) fn policy(name: &str) -> Result<(), Error> {
    if of_word_characters(name, 128) {
        Ok(())
    } else {
        Err(Error::PolicyNameIllegal { name: name.to_owned() })
    }
}

/// Whether a role may have the name.
pub(crate) fn role(name: &str) -> Result<(), Error> {
    if of_word_characters(name, 128) { Ok(()) } else { Err(Error::RoleNameIllegal { name: name.to_owned() }) }
}

/// Whether an identity provider may have the name.
pub(crate) fn provider(name: &str) -> Result<(), Error> {
    let legal = (1..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if legal { Ok(()) } else { Err(Error::ProviderName { name: name.to_owned() }) }
}

/// Whether a group or a receiver may have the name: a line of 1 to 128 characters of any script.
pub(crate) fn free(parameter: &'static str, name: &str) -> Result<(), Error> {
    let legal = (1..=128).contains(&name.chars().count())
        && !name.trim().is_empty()
        && !name.chars().any(char::is_control);
    if legal {
        Ok(())
    } else {
        Err(Error::Parameter {
            parameter,
            rule: "must have 1 to 128 characters, none of them a control character",
        })
    }
}

/// A description, where there is one.
pub(crate) fn description(text: Option<String>) -> Result<String, Error> {
    let text = text.unwrap_or_default();
    if text.len() > DESCRIPTION { Err(Error::DescriptionTooLong) } else { Ok(text) }
}

/// The description of an access key.
pub(crate) fn key_description(text: Option<String>) -> Result<String, Error> {
    let text = text.unwrap_or_default();
    let legal = text.len() <= 1024 && text.chars().all(|c| c.is_alphanumeric() || "_=,.@:/-".contains(c));
    if legal {
        Ok(text)
    } else {
        let rule = "must have at most 1,024 letters, digits and _ = , . @ : / -";
        Err(Error::Parameter { parameter: "Description", rule })
    }
}

/// A flag that travels as 0 or 1.
pub(crate) fn flag(parameter: &'static str, value: Option<u64>) -> Result<Option<bool>, Error> {
    match value {
        None => Ok(None),
        Some(0) => Ok(Some(false)),
        Some(1) => Ok(Some(true)),
        Some(_) => Err(Error::Parameter { parameter, rule: "must be 0 or 1" }),
    }
}

/// The phone number, country code and mail address of a person; empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) phone: Option<String>,
    pub(crate) country_code: Option<String>,
    pub(crate) email: Option<String>,
}

impl Contact {
    /// Checks their forms.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let digits = |text: &Option<String>, most: usize| {
            text.as_deref()
                .is_none_or(|text| text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if !digits(&self.phone, 20) {
            return Err(Error::Parameter { parameter: "PhoneNum", rule: "must have at most 20 digits" });
        }
        if !digits(&self.country_code, 4) {
            return Err(Error::Parameter { parameter: "CountryCode", rule: "must have at most 4 digits" });
        }
        let mail = self.email.as_deref().unwrap_or_default();
        let is_mail = mail.is_empty()
            || mail.len() <= 254
                && !mail.contains(|c: char| c.is_whitespace() || c.is_control())
                && mail
                    .split_once('@')
                    .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
        if is_mail {
            Ok(())
        } else {
            Err(Error::Parameter { parameter: "Email", rule: "must be a mail address" })
        }
    }
}

/// Tags of a request, for at most 50 of them, in the order of their keys.
pub(crate) fn tags(tags: impl IntoIterator<Item = (String, String)>) -> Result<Vec<(String, String)>, Error> {
    let mut tags: Vec<_> = tags.into_iter().collect();
    tags.sort();
    if tags.len() > TAGS {
        return Err(Error::TagsFull { limit: TAGS });
    }
    if tags
        .iter()
        .any(|(key, value)| key.is_empty() || key.chars().count() > 127 || value.chars().count() > 255)
    {
        return Err(Error::Tag { rule: "keys have 1 to 127 characters, values at most 255" });
    }
    if tags.windows(2).any(|pair| matches!(pair, [(first, _), (second, _)] if first == second)) {
        return Err(Error::Tag { rule: "keys must be distinct" });
    }
    Ok(tags)
}

/// How many tags a user, a policy or a role may have.
pub(crate) const TAGS: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_documented_characters() {
        for name in ["a", "Dev_Ops-1", "a+=,.@_-", &"n".repeat(64)] {
            assert!(user(name).is_ok() && policy(name).is_ok() && role(name).is_ok(), "{name}");
        }
        for name in ["", "a b", "名", "a/b", &"n".repeat(129)] {
            assert!(
                user(name).is_err()
                    && policy(name).is_err()
                    && role(name).is_err()
                    && provider(name).is_err()
            );
        }
        assert!(provider("okta_1.prod").is_ok() && provider("a@b").is_err());
        assert!(free("GroupName", "运维 组").is_ok() && free("GroupName", "  ").is_err());
        assert!(description(Some("d".repeat(301))).is_err());
        assert!(key_description(Some("ci:build/1".to_owned())).is_ok());
        assert!(key_description(Some("a b".to_owned())).is_err());
        assert!(flag("UseApi", Some(2)).is_err());
    }

    #[test]
    fn contacts_look_like_contacts() {
        let contact = |phone: &str, code: &str, email: &str| Contact {
            phone: Some(phone.to_owned()),
            country_code: Some(code.to_owned()),
            email: Some(email.to_owned()),
        };
        assert!(contact("13800000000", "86", "a@example.com").check().is_ok());
        assert!(contact("", "", "").check().is_ok());
        for bad in [
            contact("+86", "", ""),
            contact("", "eighty", ""),
            contact("", "", "nobody"),
            contact("", "", "a@b@c"),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn tags_are_distinct_and_few() {
        let tag = |key: &str| (key.to_owned(), "v".to_owned());
        assert_eq!(tags([tag("b"), tag("a")]).unwrap(), [tag("a"), tag("b")]);
        assert!(matches!(tags([tag("a"), tag("a")]), Err(Error::Tag { .. })));
        assert!(matches!(tags([tag("")]), Err(Error::Tag { .. })));
        assert!(matches!(tags((0..51).map(|at| tag(&at.to_string()))), Err(Error::TagsFull { .. })));
    }
}
