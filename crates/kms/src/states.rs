//! The states of keys, and what may be done in each (`products.md` §3.3).
//!
//! The codes are those that the platform's SDKs list for each action. Where two sources differ, or none says anything:
//!
//! - A disabled key is refused with `CmkDisabled` wherever it would be used, also by actions whose list has only `CmkStateNotSupport`.
//! - A key that waits for its deletion is refused with `KeyPendingDelete` where it would be used.
//! - Enabling an enabled key, disabling a disabled one, archiving an archived one and cancelling the archiving of an enabled one are no
//!   errors: clients repeat these calls.
//! - A disabled key can be archived: Terraform disables a key before it archives it, and takes a refusal for a passing fault.
//! - A key without material can be disabled and scheduled for deletion, and an archived one scheduled for deletion, without a detour:
//!   Terraform does that to destroy them.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::keys::KeyId;

/// The states that a key can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyState {
    Enabled,
    Disabled,
    PendingDelete,
    PendingImport,
    Archived,
}

impl KeyState {
    /// Every state, in the order of the numbers that `ListKeyDetail` gives them, from 1.
    pub(crate) const ALL: [Self; 5] =
        [Self::Enabled, Self::Disabled, Self::PendingDelete, Self::PendingImport, Self::Archived];

    /// The word on the wire.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDelete => "PendingDelete",
            Self::PendingImport => "PendingImport",
            Self::Archived => "Archived",
        }
    }
}

/// What is done to a key, as far as states tell the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Encrypt with a symmetric key, or make a data key under it.
    Encrypt,
    /// Decrypt with a symmetric key.
    Decrypt,
    /// Use either half of an asymmetric key.
    UseKeyPair,
    Enable,
    Disable,
    Archive,
    CancelArchive,
    ScheduleDeletion,
    CancelDeletion,
    /// Give another alias or description.
    Rename,
    EnableRotation,
    DisableRotation,
    Rotate,
    GetImportParameters,
    Import,
    DeleteMaterial,
    BindResource,
}

impl Operation {
    /// Refuses the operation on a key in a state that does not admit it.
    pub(crate) fn check(self, id: &KeyId, state: KeyState) -> Result<(), Error> {
        use KeyState::{Archived, Disabled, Enabled, PendingDelete, PendingImport};
        let admitted = match self {
            Self::Encrypt | Self::UseKeyPair | Self::Rotate | Self::BindResource | Self::DeleteMaterial => {
                state == Enabled
            }
            Self::Decrypt => matches!(state, Enabled | Archived),
            Self::Enable => matches!(state, Enabled | Disabled),
            Self::Disable => matches!(state, Enabled | Disabled | PendingImport),
            Self::Archive => matches!(state, Enabled | Disabled | Archived),
            Self::CancelArchive => matches!(state, Enabled | Archived),
            Self::ScheduleDeletion => matches!(state, Disabled | PendingImport | Archived),
            Self::CancelDeletion => state == PendingDelete,
            Self::Rename | Self::GetImportParameters => state != PendingDelete,
            Self::EnableRotation => matches!(state, Enabled | Disabled),
            Self::DisableRotation => true,
            Self::Import => matches!(state, Enabled | PendingImport),
        };
        if admitted { Ok(()) } else { Err(self.refusal(id, state)) }
    }

    /// Whether a key that a cloud product depends on is spared the operation.
    pub(crate) fn makes_unusable(self) -> bool {
        matches!(self, Self::Disable | Self::Archive | Self::ScheduleDeletion | Self::DeleteMaterial)
    }

    fn refusal(self, id: &KeyId, state: KeyState) -> Error {
        let id = id.clone();
        let used = matches!(self, Self::Encrypt | Self::Decrypt | Self::UseKeyPair);
        match (self, state) {
            (Self::ScheduleDeletion, KeyState::Enabled) => Error::KeyShouldBeDisabled(id),
            (Self::CancelDeletion, _) => Error::KeyNotPendingDelete(id),
            (Self::Encrypt, KeyState::Archived) => Error::KeyArchived(id),
            (Self::Rotate, KeyState::Disabled) => Error::KeyDisabled(id),
            (_, KeyState::Disabled) if used => Error::KeyDisabled(id),
            (_, KeyState::PendingDelete) if used => Error::KeyPendingDelete(id),
            _ => Error::StateNotSupported(id, state.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal as _;

    use super::*;

    /// What each operation answers in each state: nothing, or the last part of a code.
    #[test]
    fn every_state_answers_every_operation_as_documented() {
        let id = KeyId::parse("08408a30-0416-11ed-abdc-52540036b432").unwrap();
        let (disabled, unsupported, waiting) = ("CmkDisabled", "CmkStateNotSupport", "KeyPendingDelete");
        // Enabled, Disabled, PendingDelete, PendingImport, Archived.
        for (operation, answers) in [
            (Operation::Encrypt, ["", disabled, waiting, unsupported, "CmkArchived"]),
            (Operation::Decrypt, ["", disabled, waiting, unsupported, ""]),
            (Operation::UseKeyPair, ["", disabled, waiting, unsupported, unsupported]),
            (Operation::Enable, ["", "", unsupported, unsupported, unsupported]),
            (Operation::Disable, ["", "", unsupported, "", unsupported]),
            (Operation::Archive, ["", "", unsupported, unsupported, ""]),
            (Operation::CancelArchive, ["", unsupported, unsupported, unsupported, ""]),
            (Operation::ScheduleDeletion, ["CmkShouldBeDisabled", "", unsupported, "", ""]),
            (
                Operation::CancelDeletion,
                [
                    "CmkNotPendingDelete",
                    "CmkNotPendingDelete",
                    "",
                    "CmkNotPendingDelete",
                    "CmkNotPendingDelete",
                ],
            ),
            (Operation::Rename, ["", "", unsupported, "", ""]),
            (Operation::EnableRotation, ["", "", unsupported, unsupported, unsupported]),
            (Operation::DisableRotation, ["", "", "", "", ""]),
            (Operation::Rotate, ["", disabled, unsupported, unsupported, unsupported]),
            (Operation::GetImportParameters, ["", "", unsupported, "", ""]),
            (Operation::Import, ["", unsupported, unsupported, "", unsupported]),
            (Operation::DeleteMaterial, ["", unsupported, unsupported, unsupported, unsupported]),
            (Operation::BindResource, ["", unsupported, unsupported, unsupported, unsupported]),
        ] {
            for (state, expected) in KeyState::ALL.into_iter().zip(answers) {
                let found = operation.check(&id, state).err().map(|refusal| refusal.code().name());
                let expected = (!expected.is_empty()).then(|| format!("ResourceUnavailable.{expected}"));
                assert_eq!(found, expected.as_deref(), "{operation:?} in {state:?}");
            }
        }
    }
}
