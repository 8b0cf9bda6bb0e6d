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
            .flat_map(|usage| {
                let classical = usage.signs_with().iter().copied().map(listed);
                classical.chain(usage.signs_post_quantum_with()).map(move |algorithm| info(usage, algorithm))
            })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Scene;

    #[tokio::test]
    async fn every_usage_is_listed_with_the_ciphers_of_the_region() {
        let scene = Scene::new();
        let here = list_algorithms(&scene.kms, scene.call(ListAlgorithmsRequest {})).await.unwrap();
        let pairs = |list: &[AlgorithmInfo]| {
            list.iter().map(|info| format!("{}={}", info.key_usage, info.algorithm)).collect::<Vec<_>>()
        };
        assert_eq!(pairs(&here.symmetric_algorithms), ["ENCRYPT_DECRYPT=SM4"]);
        assert!(pairs(&here.asymmetric_algorithms).contains(&"ASYMMETRIC_DECRYPT_SM2=SM2".to_owned()));
        assert!(
            pairs(&here.asymmetric_algorithms).contains(&"ASYMMETRIC_DECRYPT_RSA_2048=RSA_2048".to_owned())
        );
        let decrypting = pairs(&here.asymmetric_algorithms);
        assert!(decrypting.contains(&"ASYMMETRIC_DECRYPT_ML_KEM_1024=ML_KEM_1024".to_owned()));
        let signing = pairs(&here.asymmetric_sign_verify_algorithms);
        assert!(signing.contains(&"ASYMMETRIC_SIGN_VERIFY_ML_DSA_87=ML_DSA_87".to_owned()));
        for pair in ["SM2=SM2", "ECC=ECC_P256_R1", "RSA_2048=RSA_PSS_SHA_256", "RSA_2048=RSA_PKCS1_SHA_256"] {
            assert!(signing.contains(&format!("ASYMMETRIC_SIGN_VERIFY_{pair}")), "{pair}");
        }
        let mut abroad = scene.call(ListAlgorithmsRequest {});
        abroad.region = "ap-singapore".to_owned();
        let abroad = list_algorithms(&scene.kms, abroad).await.unwrap();
        assert_eq!(pairs(&abroad.symmetric_algorithms), ["ENCRYPT_DECRYPT=AES_256"]);
    }
}
