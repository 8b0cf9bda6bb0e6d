//! The actions of STS.

pub(crate) mod cam;

#[cfg(test)]
mod sts_tests;

use crate::Cam;

rookery_gateway::actions! { Cam:
    sts { assume_role, assume_role_with_saml, assume_role_with_web_identity, get_caller_identity, get_federation_token, get_session_token, query_api_key }
}
