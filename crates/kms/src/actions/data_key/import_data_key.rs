//! `ImportDataKey`: keeps a data key that exists, in clear or as KMS once encrypted it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_api::kms::{ImportDataKeyRequest, ImportDataKeyResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Regional;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::data_keys::{DataKeyError, Encrypted, Hosting, LENGTH_LIMIT};
use crate::envelope::Ciphertext;
use crate::error::Error;
use crate::keys::{KeyId, Origin};
use crate::{Kms, key_resources, listing};

/// `ImportType` of a ciphertext that was made here.
const CIPHERTEXT: u64 = 1;
/// `ImportType` of a data key in clear.
const PLAINTEXT: u64 = 2;

/// The key that encrypts, or has encrypted, what is imported.
pub(crate) fn resources(kms: &Kms, call: &Call<ImportDataKeyRequest>) -> Vec<Resource> {
    let request = &call.request;
    let named = request.key_id.clone().filter(|id| !id.is_empty());
    let encrypted = || Ciphertext::key_named(&request.import_key_material).map(|id| id.to_string());
    match named.or_else(encrypted) {
        Some(id) => key_resources(kms, call, [id]),
        None => vec![Resource::any()],
    }
}

pub(crate) async fn import_data_key(
    kms: &Kms,
    call: Call<ImportDataKeyRequest>,
) -> Result<ImportDataKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let creator = call.caller.uin();
    let request = call.request;
    let hosting = Hosting::read(request.data_key_name, request.description, request.tags)?;
    listing::refuse_hsm_cluster(request.hsm_cluster_id.as_deref())?;
    let named = request.key_id.filter(|id| !id.is_empty()).map(|id| KeyId::parse(&id)).transpose()?;
    let material = Zeroizing::new(request.import_key_material);
    let encrypted = match request.import_type {
        CIPHERTEXT => accept(kms, &scope, named, &material)?,
        PLAINTEXT => encrypt(kms, &scope, named, &material)?,
        other => return Err(DataKeyError::ImportType(other).into()),
    };
    let (tag_code, tag_msg) = hosting.tag_outcome();
    let key_id = encrypted.key.to_string();
    let id = kms.host(scope, creator, hosting, encrypted).await?;
    Ok(ImportDataKeyResponse { key_id, data_key_id: id.to_string(), tag_code, tag_msg })
}

/// Takes a ciphertext, which must decrypt without a context: the request has none.
fn accept(kms: &Kms, scope: &Regional, named: Option<KeyId>, blob: &str) -> Result<Encrypted, Error> {
    let foreign = |_| Error::from(DataKeyError::ImportedCiphertext);
    let ciphertext = Ciphertext::parse(blob).map_err(foreign)?;
    if named.is_some_and(|named| named != ciphertext.id) {
        return Err(DataKeyError::OtherKey.into());
    }
    let text = match kms.decrypt(scope, &ciphertext, &Context::default()) {
        Err(Error::Undecryptable | Error::MalformedCiphertext) => {
            Err(DataKeyError::ImportedCiphertext.into())
        }
        other => other,
    }?;
    if text.len() > LENGTH_LIMIT {
        return Err(DataKeyError::ImportedCiphertext.into());
    }
    Ok(Encrypted {
        key: ciphertext.id,
        ciphertext: blob.to_owned(),
        context: None,
        length: text.len(),
        origin: Origin::External,
    })
}

/// Encrypts a data key by the key that is named.
fn encrypt(kms: &Kms, scope: &Regional, named: Option<KeyId>, text: &str) -> Result<Encrypted, Error> {
    let key = named.ok_or(Error::Needs { parameter: "ImportType = 2", needed: "KeyId" })?;
    let text =
        BASE64_STANDARD.decode(text).map(Zeroizing::new).map_err(|_| DataKeyError::ImportedPlaintext)?;
    if !(1..=LENGTH_LIMIT).contains(&text.len()) {
        return Err(DataKeyError::ImportedPlaintext.into());
    }
    let ciphertext = kms.encrypt(scope, &key, &Context::default(), &text)?;
    Ok(Encrypted { key, ciphertext, context: None, length: text.len(), origin: Origin::External })
}
