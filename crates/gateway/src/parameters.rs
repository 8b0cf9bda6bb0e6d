//! Step 7: the parameters of the action, from JSON or from flattened text, checked against its shape.

use http::Method;
use rookery_api::codec::Value;
use rookery_api::decode::{self, Side, flattened, json};
use rookery_api::shape::ActionShape;

use crate::arrival::Arrival;
use crate::common_parameters::CommonParameters;
use crate::error::CommonError;

/// Reads and checks the parameters.
pub fn read(
    arrival: &Arrival,
    common: &CommonParameters,
    action: &ActionShape,
) -> Result<Value, CommonError> {
    let node = match &common.v1 {
        Some(v1) => flattened::gather(v1.business())?,
        None if arrival.method == Method::GET => {
            flattened::gather(flattened::pairs(arrival.query.as_bytes())?)?
        }
        None if arrival.media_type() == "application/json" => json::read(&arrival.body)?,
        // v3 has no other body for these actions: no action of the products here takes multipart or octet-stream.
        None => return Err(CommonError::InvalidCommonValue("Content-Type")),
    };
    Ok(decode::conform(node, action.input, Side::Request)?)
}
