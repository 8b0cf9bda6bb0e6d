//! `ListAlgorithms`: what keys can be made for in the region, and by which algorithms.

use rookery_api::kms::{AlgorithmInfo, ListAlgorithmsRequest, ListAlgorithmsResponse};
use rookery_gateway::{Call, Resource};

use crate::Kms;
use crate::error::Error;
use crate::usage::{Algorithm, Cipher, KeyUsage};

pub(crate) fn resources(_: &Kms, _: &Call<ListAlgorithmsRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}

pub(crate) async fn list_algorithms(
    _: &Kms,
    call: Call<ListAlgorithmsRequest>,
) -> Result<ListAlgorithmsResponse, Error> {
    let cipher = Cipher::of_region(&call.region);
    let usages = KeyUsage::ALL.into_iter();
    Ok(ListAlgorithmsResponse {
        symmetric_algorithms: vec![info(KeyUsage::EncryptDecrypt, cipher.word())],
        asymmetric_algorithms: usages
            .clone()
            .filter_map(|usage| usage.decrypts_with().map(|algorithm| info(usage, algorithm)))
            .collect(),
        asymmetric_sign_verify_algorithms: usages
            .flat_map(|usage| usage.signs_with().iter().map(move |algorithm| info(usage, listed(*algorithm))))
            .collect(),
    })
}

fn info(usage: KeyUsage, algorithm: &str) -> AlgorithmInfo {
    AlgorithmInfo { key_usage: usage.word().to_owned(), algorithm: algorithm.to_owned() }
}

/// The name in the list, which for SM2 is not the one that signs.
fn listed(algorithm: Algorithm) -> &'static str {
    if algorithm == Algorithm::Sm2 { "SM2" } else { algorithm.word() }
}
