//! Policies that every account has, made by the platform. They are kept in no table, so they cannot be changed, and a new version of
//! this program brings new ones to every account.

/// A preset policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Preset {
    /// The `PolicyId`.
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// The product it is about; empty for all of them.
    pub(crate) service: &'static str,
    pub(crate) document: &'static str,
}

macro_rules! document {
    ($actions:literal) => {
        concat!(
            r#"{"version":"2.0","statement":[{"effect":"allow","action":["#,
            $actions,
            r#"],"resource":["*"]}]}"#
        )
    };
}

/// The presets, by their numbers. `AdministratorAccess` has the platform's own number.
pub(crate) const PRESETS: &[Preset] = &[
    Preset {
        id: 1,
        name: "AdministratorAccess",
        description: "All actions on all resources of the account.",
        service: "",
        document: document!(r#""*""#),
    },
    Preset {
        id: 2,
        name: "ReadOnlyAccess",
        description: "Reading all resources of the account.",
        service: "",
        document: document!(
            r#""*:Describe*","*:List*","*:Get*","*:Check*","*:Search*","*:Inquiry*","*:Query*","tcr:PullRepository*","tcr:Download*""#
        ),
    },
    Preset {
        id: 3,
        name: "QCloudResourceFullAccess",
        description: "All actions on the resources of all products, but not on users, keys, policies and bills.",
        service: "",
        document: r#"{"version":"2.0","statement":[{"effect":"allow","action":["*"],"resource":["*"]},{"effect":"deny","action":["cam:*","sts:*","finance:*"],"resource":["*"]}]}"#,
    },
    Preset {
        id: 10,
        name: "QcloudTCRFullAccess",
        description: "All actions of the container registry.",
        service: "tcr",
        document: document!(r#""tcr:*""#),
    },
    Preset {
        id: 11,
        name: "QcloudTCRReadOnlyAccess",
        description: "Reading the container registry, and pulling images.",
        service: "tcr",
        document: document!(
            r#""tcr:Describe*","tcr:Check*","tcr:Get*","tcr:List*","tcr:PullRepository*","tcr:Download*""#
        ),
    },
    Preset {
        id: 20,
        name: "QcloudKMSFullAccess",
        description: "All actions of the key management service.",
        service: "kms",
        document: document!(r#""kms:*""#),
    },
    Preset {
        id: 21,
        name: "QcloudKMSReadOnlyAccess",
        description: "Reading what keys there are, without using one.",
        service: "kms",
        document: document!(
            r#""kms:Describe*","kms:List*","kms:GetKeyRotationStatus","kms:GetPublicKey","kms:GetRegions","kms:GetServiceStatus""#
        ),
    },
    Preset {
        id: 30,
        name: "QcloudCamFullAccess",
        description: "All actions on users, groups, policies and roles.",
        service: "cam",
        document: document!(r#""cam:*""#),
    },
    Preset {
        id: 31,
        name: "QcloudCamReadOnlyAccess",
        description: "Reading users, groups, policies and roles.",
        service: "cam",
        document: document!(r#""cam:Describe*","cam:Get*","cam:List*""#),
    },
    Preset {
        id: 40,
        name: "QcloudSTSFullAccess",
        description: "All actions of the security token service.",
        service: "sts",
        document: document!(r#""sts:*""#),
    },
    Preset {
        id: 50,
        name: "QcloudTAGFullAccess",
        description: "All actions on tags.",
        service: "tag",
        document: document!(r#""tag:*""#),
    },
    Preset {
        id: 51,
        name: "QcloudTAGReadOnlyAccess",
        description: "Reading tags.",
        service: "tag",
        document: document!(r#""tag:Describe*","tag:Get*""#),
    },
];

/// The preset of a number.
pub(crate) fn find(id: u64) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.id == id)
}

/// The preset of a name. In any case, because the platform's own pages write `QcloudCamFullAccess` and `QcloudCAMFullAccess`.
pub(crate) fn named(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cam::documents;

    #[test]
    fn presets_are_policies_with_numbers_and_names_of_their_own() {
        for (at, preset) in PRESETS.iter().enumerate() {
            documents::policy(preset.document).unwrap();
            assert!(preset.id > 0 && preset.id < 1_000, "custom policies are numbered above");
            assert!(PRESETS[..at].iter().all(|other| other.id != preset.id && other.name != preset.name));
            assert_eq!(find(preset.id), Some(preset));
            assert_eq!(named(&preset.name.to_uppercase()), Some(preset));
        }
    }
}
