//! `GenerateRandom`: 1 to 1,024 random bytes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_api::kms::{GenerateRandomRequest, GenerateRandomResponse};
use rookery_gateway::{Call, Resource};

use crate::Kms;
use crate::envelope;
use crate::error::Error;

pub(crate) fn resources(_: &Kms, _: &Call<GenerateRandomRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}

pub(crate) async fn generate_random(
    _: &Kms,
    call: Call<GenerateRandomRequest>,
) -> Result<GenerateRandomResponse, Error> {
    let bytes = envelope::random_text("NumberOfBytes", call.request.number_of_bytes)?;
    Ok(GenerateRandomResponse { plaintext: BASE64_STANDARD.encode(&*bytes) })
}
