//! `ImportKeyMaterial`: the customer's own material for a key that was made for it. Imported again, it must be the same, and gets the new expiry.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use rookery_api::kms::{ImportKeyMaterialRequest, ImportKeyMaterialResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Regional};
use zeroize::Zeroizing;

use super::get_parameters_for_import::external;
use crate::error::Error;
use crate::import::{self, ImportParameters, Token};
use crate::keys::{self, Imported, KeyId, Version, Versions};
use crate::material::{self, RsaDecryption};
use crate::states::{KeyState, Operation};
use crate::{Kms, key_resources, message};

/// The latest moment at which material may expire, in UNIX seconds.
const LAST_EXPIRY: u64 = 2_147_443_200;

pub(crate) fn resources(kms: &Kms, call: &Call<ImportKeyMaterialRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn import_key_material(
    kms: &Kms,
    call: Call<ImportKeyMaterialRequest>,
) -> Result<ImportKeyMaterialResponse, Error> {
    let scope = kms.enter(&call).await?;
    let ImportKeyMaterialRequest { encrypted_key_material, import_token, key_id, valid_to } = call.request;
    let id = KeyId::parse(&key_id)?;
    let valid_to = valid_to.filter(|moment| *moment != 0);
    if valid_to.is_some_and(|moment| moment <= kms.now() || moment > LAST_EXPIRY) {
        return Err(Error::value("ValidTo", &valid_to.unwrap_or_default()));
    }
    let encrypted = message::decode("EncryptedKeyMaterial", &encrypted_key_material)?;
    let key = external(kms, &scope, &id, Operation::Import)?;
    let material = unwrap(kms, &scope, &id, &import_token, &encrypted)?;
    let cipher = key.cipher.ok_or(Error::Damaged("an external key has no cipher"))?;
    let (expected, found) = (cipher.key_length(), material.len());
    if found != expected {
        return Err(Error::MaterialLength { expected, found });
    }

    let version = Version { secret: kms.seal.seal(&keys::version_context(&id, key.version), &material)? };
    let (seal, place, name) = (kms.seal.clone(), scope.clone(), id.clone());
    let digest = material::sha256(&material);
    kms.change(scope, id, Operation::Import, move |tx, key| {
        let place_of_digest = digest_context(&name);
        let sealed = match &key.imported {
            Some(imported) => {
                let first = seal.open(&place_of_digest, &imported.digest)?;
                verify_slices_are_equal(&first, digest.as_ref()).map_err(|_| Error::MaterialMismatch)?;
                imported.digest.clone()
            }
            None => seal.seal(&place_of_digest, digest.as_ref())?,
        };
        key.imported = Some(Imported { digest: sealed, present: true, valid_to });
        key.state = KeyState::Enabled;
        Ok(tx.put::<Versions>(&place, &(name.to_string(), u64::from(key.version)), &version)?)
    })
    .await?;
    Ok(ImportKeyMaterialResponse {})
}

/// What the digest of the first material is sealed for.
fn digest_context(id: &KeyId) -> String {
    format!("kms/imported/{id}")
}

/// The material, decrypted by the key pair that the token stands for.
fn unwrap(
    kms: &Kms,
    scope: &Regional,
    id: &KeyId,
    token: &str,
    encrypted: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let token = Token::read(token, id)?;
    let parameters = kms.store.read(|view| view.get::<ImportParameters>(scope, id.as_str()))?;
    let parameters = parameters
        .filter(|parameters| parameters.admits(&token, kms.now()))
        .ok_or(Error::ImportTokenExpired)?;
    let pkcs8 = kms.seal.open(&import::seal_context(id), &parameters.private_key)?;
    let private_key = RsaDecryption::from_pkcs8(&pkcs8)?;
    private_key.decrypt(parameters.padding, encrypted).ok_or(Error::MaterialUndecryptable)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::{
        OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey,
        PublicEncryptingKey,
    };
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use rookery_api::ErrorCode as _;
    use rookery_api::kms::{
        DeleteImportedKeyMaterialRequest, GetParametersForImportRequest, GetParametersForImportResponse,
    };
    use rookery_gateway::Refusal;

    use super::*;
    use crate::actions::import::delete_imported_key_material::delete_imported_key_material;
    use crate::actions::import::get_parameters_for_import::get_parameters_for_import;
    use crate::scene::{ABSENT, ECC, NOW, SYMMETRIC, Scene};
    use crate::timers::DAY;

    const MATERIAL: [u8; 16] = [7; 16];
    const ALGORITHMS: [&str; 3] = ["RSAES_PKCS1_V1_5", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];

    fn wrapped(parameters: &GetParametersForImportResponse, algorithm: &str, material: &[u8]) -> String {
        let der = BASE64_STANDARD.decode(&parameters.public_key).unwrap();
        let key = PublicEncryptingKey::from_der(&der).unwrap();
        let mut out = vec![0; 256];
        let oaep = || OaepPublicEncryptingKey::new(key.clone()).unwrap();
        match algorithm {
            "RSAES_OAEP_SHA_1" => oaep().encrypt(&OAEP_SHA1_MGF1SHA1, material, &mut out, None).map(|_| ()),
            "RSAES_OAEP_SHA_256" => {
                oaep().encrypt(&OAEP_SHA256_MGF1SHA256, material, &mut out, None).map(|_| ())
            }
            _ => Pkcs1PublicEncryptingKey::new(key).unwrap().encrypt(material, &mut out).map(|_| ()),
        }
        .unwrap();
        BASE64_STANDARD.encode(out)
    }

    impl Scene {
        async fn parameters(
            &self,
            id: &str,
            algorithm: &str,
        ) -> Result<GetParametersForImportResponse, Error> {
            let request = GetParametersForImportRequest {
                key_id: id.to_owned(),
                wrapping_algorithm: algorithm.to_owned(),
                wrapping_key_spec: "RSA_2048".to_owned(),
            };
            get_parameters_for_import(&self.kms, self.call(request)).await
        }

        async fn import(&self, id: &str, token: &str, encrypted: &str, valid_to: u64) -> Result<(), Error> {
            let request = ImportKeyMaterialRequest {
                encrypted_key_material: encrypted.to_owned(),
                import_token: token.to_owned(),
                key_id: id.to_owned(),
                valid_to: Some(valid_to),
            };
            import_key_material(&self.kms, self.call(request)).await.map(|_| ())
        }

        /// Imports material in one go.
        pub(crate) async fn import_here(
            &self,
            id: &str,
            material: &[u8],
            valid_to: u64,
        ) -> Result<(), Error> {
            let parameters = self.parameters(id, ALGORITHMS[2]).await?;
            let encrypted = wrapped(&parameters, ALGORITHMS[2], material);
            self.import(id, &parameters.import_token, &encrypted, valid_to).await
        }

        async fn delete_material(&self, id: &str) -> Result<(), Error> {
            let request = DeleteImportedKeyMaterialRequest { key_id: id.to_owned() };
            delete_imported_key_material(&self.kms, self.call(request)).await.map(|_| ())
        }
    }

    #[tokio::test]
    async fn material_comes_in_by_each_algorithm_and_two_keys_with_one_material_stay_apart() {
        let scene = Scene::new();
        let mut blobs = Vec::new();
        for algorithm in ALGORITHMS {
            let id = scene.create_external(algorithm).await;
            assert_eq!(scene.state(&id).await, "PendingImport");
            let parameters = scene.parameters(&id, algorithm).await.unwrap();
            assert_eq!((&parameters.key_id, parameters.parameters_valid_to), (&id, NOW + DAY));
            let encrypted = wrapped(&parameters, algorithm, &MATERIAL);
            scene.import(&id, &parameters.import_token, &encrypted, 0).await.unwrap();
            let key = scene.metadata(&id).await;
            assert_eq!(
                (key.key_state.as_str(), key.origin.as_str(), key.valid_to),
                ("Enabled", "EXTERNAL", 0)
            );
            let blob = scene.encrypt(&id, None, b"text").await.unwrap();
            assert_eq!(scene.decrypt(&blob, None).await.unwrap(), b"text");
            blobs.push((id, blob));
        }
        let mut bytes = BASE64_STANDARD.decode(&blobs[0].1).unwrap();
        bytes[1..17].copy_from_slice(&KeyId::parse(&blobs[1].0).unwrap().to_bytes().unwrap());
        let moved = scene.decrypt(&BASE64_STANDARD.encode(bytes), None).await;
        assert!(matches!(moved, Err(Error::Undecryptable)));
    }

    #[tokio::test]
    async fn material_goes_when_it_expires_or_is_deleted_and_only_the_same_comes_back() {
        let scene = Scene::new();
        let id = scene.create_external("own").await;
        scene.import_here(&id, &MATERIAL, NOW + 100).await.unwrap();
        let blob = scene.encrypt(&id, None, b"text").await.unwrap();
        assert_eq!(scene.metadata(&id).await.valid_to, NOW + 100);
        scene.advance(99);
        assert_eq!(scene.decrypt(&blob, None).await.unwrap(), b"text");
        scene.advance(1);
        let versions = || {
            let at = (id.clone(), 1);
            scene.store.read(|view| view.get::<Versions>(&scene.scope(), &at)).unwrap()
        };
        assert!(matches!(
            scene.decrypt(&blob, None).await,
            Err(Error::StateNotSupported(_, "PendingImport"))
        ));
        assert!(versions().is_none());

        let other = scene.import_here(&id, &[8; 16], 0).await.unwrap_err();
        assert_eq!(other.code().name(), "InvalidParameterValue.MaterialNotMatch");
        scene.import_here(&id, &MATERIAL, 0).await.unwrap();
        assert_eq!(scene.decrypt(&blob, None).await.unwrap(), b"text");
        // Imported over itself it only gets another expiry.
        scene.import_here(&id, &MATERIAL, NOW + 500).await.unwrap();
        assert_eq!(scene.metadata(&id).await.valid_to, NOW + 500);

        scene.delete_material(&id).await.unwrap();
        assert_eq!(scene.state(&id).await, "PendingImport");
        assert!(versions().is_none());
        let again = scene.delete_material(&id).await.unwrap_err();
        assert_eq!(again.code().name(), "ResourceUnavailable.CmkStateNotSupport");
        scene.import_here(&id, &MATERIAL, NOW + 1000).await.unwrap();
        assert_eq!(scene.decrypt(&blob, None).await.unwrap(), b"text");
        // A key that is disabled when its material expires waits for it once it is enabled.
        scene.disable(&id).await;
        scene.advance(1000);
        assert_eq!(scene.state(&id).await, "Disabled");
        scene.enable(&id).await;
        assert_eq!(scene.state(&id).await, "PendingImport");
    }

    #[tokio::test]
    async fn tokens_are_their_keys_and_expire() {
        let scene = Scene::new();
        let (id, other) = (scene.create_external("own").await, scene.create_external("other").await);
        let algorithm = ALGORITHMS[0];
        let first = scene.parameters(&id, algorithm).await.unwrap();
        let encrypted = wrapped(&first, algorithm, &MATERIAL);
        let code = |ended: Result<(), Error>| ended.unwrap_err().code().name();
        assert_eq!(code(scene.import(&other, &first.import_token, &encrypted, 0).await), "InvalidParameter");
        assert_eq!(code(scene.import(&id, "AAAA", &encrypted, 0).await), "InvalidParameter");
        let second = scene.parameters(&id, algorithm).await.unwrap();
        let replaced = scene.import(&id, &first.import_token, &encrypted, 0).await;
        assert_eq!(code(replaced), "ResourceUnavailable.TokenExpired");
        let foreign = scene.import(&id, &second.import_token, &encrypted, 0).await;
        assert_eq!(code(foreign), "InvalidParameter.DecryptMaterialError");
        let encrypted = wrapped(&second, algorithm, &MATERIAL);
        scene.advance(DAY);
        let late = scene.import(&id, &second.import_token, &encrypted, 0).await;
        assert_eq!(code(late), "ResourceUnavailable.TokenExpired");
        assert_eq!(scene.state(&id).await, "PendingImport");
    }

    #[tokio::test]
    async fn what_cannot_be_imported_is_refused() {
        let scene = Scene::new();
        let id = scene.create_external("own").await;
        let (ours, signer) = (scene.create("ours", SYMMETRIC).await, scene.create("signer", ECC).await);
        for (id, algorithm, code) in [
            ("x", ALGORITHMS[0], "InvalidParameterValue.InvalidKeyId"),
            (ABSENT, ALGORITHMS[0], "ResourceUnavailable.CmkNotFound"),
            (&*ours, ALGORITHMS[0], "UnsupportedOperation.NotExternalCmk"),
            (&*signer, ALGORITHMS[0], "UnsupportedOperation.NotExternalCmk"),
            (&id, "RSA", "InvalidParameter"),
        ] {
            assert_eq!(scene.parameters(id, algorithm).await.err().unwrap().code().name(), code);
        }
        let spec = GetParametersForImportRequest {
            key_id: id.clone(),
            wrapping_algorithm: ALGORITHMS[0].to_owned(),
            wrapping_key_spec: "RSA_4096".to_owned(),
        };
        let refusal = get_parameters_for_import(&scene.kms, scene.call(spec)).await.unwrap_err();
        assert_eq!(refusal.code().name(), "InvalidParameter");

        let parameters = scene.parameters(&id, ALGORITHMS[0]).await.unwrap();
        let token = parameters.import_token.as_str();
        let right = wrapped(&parameters, ALGORITHMS[0], &MATERIAL);
        let long = wrapped(&parameters, ALGORITHMS[0], &[7; 32]);
        for (id, encrypted, valid_to, code) in [
            ("x", &*right, 0, "InvalidParameterValue.InvalidKeyId"),
            (ABSENT, &right, 0, "ResourceUnavailable.CmkNotFound"),
            (&ours, &right, 0, "UnsupportedOperation.NotExternalCmk"),
            (&id, &right, NOW, "InvalidParameter"),
            (&id, &right, 2_147_443_201, "InvalidParameter"),
            (&id, "!", 0, "InvalidParameter"),
            (&id, "AAAA", 0, "InvalidParameter.DecryptMaterialError"),
            (&id, &long, 0, "InvalidParameter"),
        ] {
            let refusal = scene.import(id, token, encrypted, valid_to).await.unwrap_err();
            assert_eq!(refusal.code().name(), code, "{refusal}");
        }
        for (id, code) in [
            ("x", "InvalidParameterValue.InvalidKeyId"),
            (ABSENT, "ResourceUnavailable.CmkNotFound"),
            (&*ours, "UnsupportedOperation.NotExternalCmk"),
        ] {
            assert_eq!(scene.delete_material(id).await.unwrap_err().code().name(), code);
        }
        scene.disable(&id).await;
        let refusal = scene.import(&id, token, &right, 0).await.unwrap_err();
        assert_eq!(refusal.code().name(), "ResourceUnavailable.CmkStateNotSupport");
    }
}
