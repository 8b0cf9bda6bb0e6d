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

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::scene::Scene;

    async fn ask(number_of_bytes: u64) -> Result<Vec<u8>, Error> {
        let scene = Scene::new();
        let reply =
            generate_random(&scene.kms, scene.call(GenerateRandomRequest { number_of_bytes })).await?;
        Ok(BASE64_STANDARD.decode(reply.plaintext).unwrap())
    }

    #[tokio::test]
    async fn as_many_bytes_are_given_as_are_asked_for_each_time_others() {
        for length in [1, 32, 1024] {
            assert_eq!(ask(length).await.unwrap().len() as u64, length);
        }
        assert_ne!(ask(16).await.unwrap(), ask(16).await.unwrap());
        for length in [0, 1025, u64::MAX] {
            assert_eq!(ask(length).await.unwrap_err().code().name(), "InvalidParameter");
        }
    }
}
