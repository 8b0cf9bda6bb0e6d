//! The actions of STS.

use crate::Cam;

rookery_gateway::actions! { Cam:
    sts { assume_role, get_caller_identity, get_federation_token, query_api_key }
}
