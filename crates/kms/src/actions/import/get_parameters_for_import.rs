//! `GetParametersForImport`: a public key to encrypt material with, and the token that stands for it. Both can be used for 24 hours, or until this is
//! asked again.

use std::sync::Arc;

use rookery_api::kms::{GetParametersForImportRequest, GetParametersForImportResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Regional;

use crate::error::Error;
use crate::import::{self, ImportKeyPair, ImportParameters, LIFETIME, Token};
use crate::keys::{Key, KeyId, Material, Origin};
use crate::material::{NewKeyPair, RsaPadding};
use crate::states::Operation;
use crate::{Kms, key_resources};

/// The only `WrappingKeySpec`.
const RSA_2048: &str = "RSA_2048";

pub(crate) fn resources(kms: &Kms, call: &Call<GetParametersForImportRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn get_parameters_for_import(
    kms: &Kms,
    call: Call<GetParametersForImportRequest>,
) -> Result<GetParametersForImportResponse, Error> {
    let scope = kms.enter(&call).await?;
    let GetParametersForImportRequest { key_id, wrapping_algorithm, wrapping_key_spec } = call.request;
    let id = KeyId::parse(&key_id)?;
    let padding = RsaPadding::parse("WrappingAlgorithm", &wrapping_algorithm)?;
    if wrapping_key_spec != RSA_2048 {
        return Err(Error::value("WrappingKeySpec", &wrapping_key_spec));
    }
    external(kms, &scope, &id, Operation::GetImportParameters)?;

    let pair = tokio::task::spawn_blocking(NewKeyPair::rsa)
        .await
        .map_err(|_| Error::Cryptography("the generation of a key pair was broken off"))??;
    let (token, expires) = (Token::issue(&id)?, kms.now() + LIFETIME);
    let Material { public_key, private_key } = pair.sealed(&kms.seal, &import::seal_context(&id))?;
    let parameters = ImportKeyPair { token: token.digest(), padding, private_key, expires };
    let name = key_id.clone();
    kms.change(scope.clone(), id, Operation::GetImportParameters, move |tx, _| {
        Ok(tx.put::<ImportParameters>(&scope, &name, &parameters)?)
    })
    .await?;
    Ok(GetParametersForImportResponse {
        key_id,
        import_token: token.text(),
        public_key,
        parameters_valid_to: expires,
    })
}

/// A key whose material is imported, in a state that admits the operation.
pub(super) fn external(
    kms: &Kms,
    scope: &Regional,
    id: &KeyId,
    operation: Operation,
) -> Result<Arc<Key>, Error> {
    let key = kms.key(scope, id)?;
    if key.origin != Origin::External {
        return Err(Error::NotExternal(id.clone()));
    }
    operation.check(id, key.state)?;
    Ok(key)
}
