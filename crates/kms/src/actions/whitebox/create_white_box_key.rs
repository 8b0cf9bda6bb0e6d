//! `CreateWhiteBoxKey`: makes a white-box key, enabled from the start, and hands out its files.

use rookery_api::kms::{CreateWhiteBoxKeyRequest, CreateWhiteBoxKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::{self, DESCRIPTION_LIMIT, KeyId};
use crate::whitebox::{self, Algorithm, WhiteBoxKey, seal_context};
use crate::{Kms, listing, scope, tags};

pub(crate) fn resources(_: &Kms, _: &Call<CreateWhiteBoxKeyRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}

pub(crate) async fn create_white_box_key(
    kms: &Kms,
    call: Call<CreateWhiteBoxKeyRequest>,
) -> Result<CreateWhiteBoxKeyResponse, Error> {
    let scope = scope(&call);
    let creator = call.caller.uin();
    let CreateWhiteBoxKeyRequest { alias, algorithm, description, tags } = call.request;
    keys::check_alias(&alias)?;
    let algorithm = Algorithm::parse(&algorithm)?;
    let description = listing::description(description, DESCRIPTION_LIMIT)?;
    let tags = tags::read(tags.unwrap_or_default())?;

    let id = KeyId::parse(&kms.world.uuid().to_string())?;
    let key = WhiteBoxKey {
        alias,
        description,
        algorithm,
        enabled: true,
        creator,
        created: kms.now(),
        sequence: 0,
        fingerprints: Vec::new(),
        key: kms.seal.seal(&seal_context(&id), &algorithm.generate()?)?,
    };
    let (tag_code, tag_msg) = tags::outcome(&tags);
    let (added, name) = (key.clone(), id.clone());
    kms.store.write(move |tx| whitebox::add(tx, &scope, &name, added.clone(), &tags)).await?;

    let (encrypt_key, decrypt_key) = key.files(&kms.seal, &id)?;
    Ok(CreateWhiteBoxKeyResponse { encrypt_key, decrypt_key, key_id: id.to_string(), tag_code, tag_msg })
}
