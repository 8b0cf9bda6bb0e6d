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
    let token = Token::open(token, &kms.seal)?;
    if token.key != id.as_str() {
        return Err(Error::ImportToken);
    }
    let parameters = kms.store.read(|view| view.get::<ImportParameters>(scope, id.as_str()))?;
    let parameters = parameters
        .filter(|parameters| parameters.number == token.number && kms.now() < parameters.expires)
        .ok_or(Error::ImportTokenExpired)?;
    let pkcs8 = kms.seal.open(&import::seal_context(id, &token.number), &parameters.private_key)?;
    let private_key = RsaDecryption::from_pkcs8(&pkcs8)?;
    private_key.decrypt(parameters.padding, encrypted).ok_or(Error::MaterialUndecryptable)
}
