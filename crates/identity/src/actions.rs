//! The actions of STS.

use crate::Cam;

rookery_gateway::actions! { Cam:
    sts { get_caller_identity }
}
