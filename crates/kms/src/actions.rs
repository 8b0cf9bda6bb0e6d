//! The actions, one file each.

#[cfg(test)]
pub(crate) mod scene;

use crate::Kms;

rookery_gateway::actions! { Kms:
    key { create_key, describe_key, list_keys, list_key_detail, enable_key, disable_key }
    asymmetric { get_public_key, sign_by_asymmetric_key, verify_by_asymmetric_key }
}
