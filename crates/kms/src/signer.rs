//! KMS as the key service of image signatures.

use rookery_signing::{Algorithm, BoxFuture, KeyDescription, KeyName, Signer, SignerError};
use rookery_store::Regional;

use crate::Kms;
use crate::error::Error;
use crate::keys::KeyId;
use crate::material;
use crate::message::Message;
use crate::states::KeyState;

/// Where a key is, and which.
fn locate(key: &KeyName) -> Result<(Regional, KeyId), Error> {
    Ok((Regional { uin: key.account, region: key.region.clone() }, KeyId::parse(&key.id)?))
}

impl From<Error> for SignerError {
    fn from(error: Error) -> Self {
        match error {
            Error::KeyNotFound(_) | Error::MalformedKeyId => Self::NoSuchKey,
            Error::KeyDisabled(_) => Self::KeyDisabled,
            Error::KeyPendingDelete(_) => Self::KeyPendingDelete,
            Error::StateNotSupported(_, state) => Self::KeyUnusable(state.to_owned()),
            Error::UnsuitedAlgorithm(_) | Error::WrongUsage(_) => Self::UnsuitableUsage,
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl Signer for Kms {
    fn describe<'a>(&'a self, key: &'a KeyName) -> BoxFuture<'a, Result<KeyDescription, SignerError>> {
        Box::pin(async move {
            let (scope, id) = locate(key)?;
            self.settle().await?;
            let key = self.key(&scope, &id)?;
            let usage = key.usage.for_images().ok_or(SignerError::UnsuitableUsage)?;
            let public_key = material::public_key_der(&self.material(&scope, &id)?.public_key)?;
            Ok(KeyDescription { usage, public_key, enabled: key.state == KeyState::Enabled })
        })
    }

    fn sign<'a>(
        &'a self,
        key: &'a KeyName,
        algorithm: Algorithm,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, SignerError>> {
        Box::pin(async move {
            let (scope, id) = locate(key)?;
            self.settle().await?;
            Ok(self.sign_message(&scope, &id, algorithm.into(), &Message::Raw(message.to_vec())).await?)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rookery_signing::KeyUsage;

    use super::*;
    use crate::openssl::{Padding, Workshop};
    use crate::scene::{ABSENT, ACCOUNT, ECC, REGION, RSA, Scene};

    fn name(id: &str) -> KeyName {
        KeyName { account: ACCOUNT.uin, region: REGION.to_owned(), id: id.to_owned() }
    }

    #[tokio::test]
    async fn openssl_verifies_what_another_product_signs_by_the_key_that_is_described() {
        let scene = Scene::new();
        let (rsa, ecc) = (scene.create("rsa", RSA).await, scene.create("ecc", ECC).await);
        let signer: Arc<dyn Signer> = scene.kms.clone();
        // Longer than what a request may carry.
        let message = vec![7; 100_000];
        for (id, usage, algorithm, padding) in [
            (&rsa, KeyUsage::Rsa2048, Algorithm::RsaPkcs1Sha256, Padding::None),
            (&rsa, KeyUsage::Rsa2048, Algorithm::RsaPssSha256, Padding::Pss),
            (&ecc, KeyUsage::EccP256, Algorithm::EcdsaP256Sha256, Padding::None),
        ] {
            let key = signer.describe(&name(id)).await.unwrap();
            assert_eq!((key.usage, key.enabled), (usage, true));
            let signature = signer.sign(&name(id), algorithm, &message).await.unwrap();
            let Some(openssl) = Workshop::open() else { continue };
            let pem = openssl.public_key_as_pem(&key.public_key);
            assert!(openssl.verifies_message(&pem, padding, &message, &signature), "{algorithm:?}");
        }
    }

    #[tokio::test]
    async fn a_disabled_key_is_described_and_does_not_sign() {
        let scene = Scene::new();
        let id = scene.create("ecc", ECC).await;
        let sign = || async { scene.kms.sign(&name(&id), Algorithm::EcdsaP256Sha256, b"text").await };
        assert!(sign().await.is_ok());
        scene.disable(&id).await;
        assert!(!scene.kms.describe(&name(&id)).await.unwrap().enabled);
        assert_eq!(sign().await, Err(SignerError::KeyDisabled));
        scene.enable(&id).await;
        assert!(sign().await.is_ok());
    }

    #[tokio::test]
    async fn other_keys_and_algorithms_are_refused() {
        let scene = Scene::new();
        let id = scene.create("ecc", ECC).await;
        let elsewhere = KeyName { region: "ap-beijing".to_owned(), ..name(&id) };
        let stranger = KeyName { account: ACCOUNT.uin + 1, ..name(&id) };
        for key in [name(ABSENT), name("no-uuid"), elsewhere, stranger] {
            assert_eq!(scene.kms.describe(&key).await, Err(SignerError::NoSuchKey));
            let signed = scene.kms.sign(&key, Algorithm::EcdsaP256Sha256, b"text").await;
            assert_eq!(signed, Err(SignerError::NoSuchKey));
        }
        let signed = scene.kms.sign(&name(&id), Algorithm::RsaPkcs1Sha256, b"text").await;
        assert_eq!(signed, Err(SignerError::UnsuitableUsage));
    }
}
