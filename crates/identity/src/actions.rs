//! The actions of STS.

pub(crate) mod cam;

use crate::Cam;

rookery_gateway::actions! { Cam:
    sts { assume_role, get_caller_identity, get_federation_token, query_api_key }
}
