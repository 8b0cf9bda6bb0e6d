//! `GetPublicKey`: the public half of an enabled asymmetric key.

use rookery_api::kms::{GetPublicKeyRequest, GetPublicKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::states::Operation;
use crate::{Kms, key_resources, material};

pub(crate) fn resources(kms: &Kms, call: &Call<GetPublicKeyRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn get_public_key(
    kms: &Kms,
    call: Call<GetPublicKeyRequest>,
) -> Result<GetPublicKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let GetPublicKeyRequest { key_id } = call.request;
    let id = KeyId::parse(&key_id)?;
    let key = kms.key_for(&scope, &id, Operation::UseKeyPair)?;
    if !key.usage.is_asymmetric() {
        return Err(Error::WrongUsage(key.usage.word()));
    }
    let public_key = kms.material(&scope, &id)?.public_key.clone();
    Ok(GetPublicKeyResponse { key_id, public_key_pem: material::public_key_pem(&public_key), public_key })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::openssl;
    use crate::scene::{ABSENT, ECC, RSA, Scene};

    fn of(key_id: &str) -> GetPublicKeyRequest {
        GetPublicKeyRequest { key_id: key_id.to_owned() }
    }

    #[tokio::test]
    async fn openssl_reads_both_forms_as_one_key() {
        let scene = Scene::new();
        for (alias, usage, kind) in [("r", RSA, "Public-Key: (2048 bit)"), ("e", ECC, "ASN1 OID: prime256v1")]
        {
            let id = scene.create(alias, usage).await;
            let reply = get_public_key(&scene.kms, scene.call(of(&id))).await.unwrap();
            assert_eq!(reply.key_id, id);
            let lines: Vec<_> = reply.public_key_pem.lines().collect();
            assert_eq!(lines.first(), Some(&"-----BEGIN PUBLIC KEY-----"));
            assert_eq!(lines.last(), Some(&"-----END PUBLIC KEY-----"));
            assert_eq!(lines[1..lines.len() - 1].concat(), reply.public_key);
            assert!(lines.iter().all(|line| line.len() <= 64) && reply.public_key_pem.ends_with("-\n"));

            let der = BASE64_STANDARD.decode(&reply.public_key).unwrap();
            let Some(openssl) = openssl::Workshop::open() else { continue };
            assert_eq!(openssl.public_key_as_pem(&der), reply.public_key_pem);
            let text = openssl.describe_public_key(&reply.public_key_pem);
            assert!(text.contains(kind), "{text}");
        }
    }

    #[tokio::test]
    async fn an_rsa_key_has_the_beginning_that_the_platform_shows() {
        let scene = Scene::new();
        let id = scene.create("release", RSA).await;
        let reply = get_public_key(&scene.kms, scene.call(of(&id))).await.unwrap();
        let der = BASE64_STANDARD.decode(reply.public_key).unwrap();
        assert!(der.starts_with(b"\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"));
    }

    #[tokio::test]
    async fn keys_that_may_not_be_used_are_refused() {
        let scene = Scene::new();
        let id = scene.create("release", ECC).await;
        scene.disable(&id).await;
        for (key_id, code) in [
            (&*id, "ResourceUnavailable.CmkDisabled"),
            (ABSENT, "ResourceUnavailable.CmkNotFound"),
            ("no-uuid", "InvalidParameterValue.InvalidKeyId"),
        ] {
            let refusal = get_public_key(&scene.kms, scene.call(of(key_id))).await.unwrap_err();
            assert_eq!(refusal.code().name(), code);
        }
    }
}
