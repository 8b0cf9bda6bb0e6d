//! Step 7: the parameters of the action, from JSON, from flattened text, or from a body in bytes, checked against its shape.
//!
//! Which forms an action takes follows from its shape alone: one with a binary member takes `multipart/form-data` and
//! `application/octet-stream`, both signed with v3 only, and no JSON; any other takes JSON (v3 POST) and flattened text (v3 GET, v1).
//! A form that does not fit is an invalid value of `Content-Type`.
//!
//! A GET has no body, so its `Content-Type` describes nothing: clients send `application/x-www-form-urlencoded` or, under v1, none, and
//! whatever they send is signed with the rest but not judged.

use http::Method;
use rookery_api::codec::Value;
use rookery_api::decode::{self, Side, flattened, json};

use crate::action::Found;
use crate::arrival::Arrival;
use crate::common_parameters::CommonParameters;
use crate::error::CommonError;
use crate::{multipart, octet_stream};

/// A form that the action does not take.
const WRONG_FORM: CommonError = CommonError::InvalidCommonValue("Content-Type");

/// Reads and checks the parameters.
pub fn read(arrival: &Arrival, common: &CommonParameters<'_>, found: &Found) -> Result<Value, CommonError> {
    let takes_bytes = found.shape.takes_bytes();
    if arrival.method == Method::POST && !arrival.is_utf8() {
        return Err(WRONG_FORM);
    }
    let node = match &common.v1 {
        _ if takes_bytes && (common.v1.is_some() || arrival.method == Method::GET) => return Err(WRONG_FORM),
        Some(v1) => flattened::gather(v1.business())?,
        None if arrival.method == Method::GET => {
            flattened::gather(flattened::pairs(arrival.query().as_bytes())?)?
        }
        None => match (&*arrival.media_type(), takes_bytes) {
            ("application/json", false) => json::read(&arrival.body)?,
            ("multipart/form-data", true) => multipart::read(
                arrival.header(http::header::CONTENT_TYPE).unwrap_or_default(),
                &arrival.body,
            )?,
            ("application/octet-stream", true) => {
                octet_stream::read(&arrival.headers, &arrival.body, found.product.name, found.shape)?
            }
            _ => return Err(WRONG_FORM),
        },
    };
    Ok(decode::conform(node, found.shape.input, Side::Request)?)
}
