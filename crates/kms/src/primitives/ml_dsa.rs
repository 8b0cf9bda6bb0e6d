//! ML-DSA-87 (FIPS 204), the strongest parameter set: signatures that a quantum computer does not forge.
//!
//! The platform's examples show signatures of 4,595 bytes, those of the draft's strongest set (Dilithium5); the standard's have 4,627.
//! Messages are signed whole, with an empty context, in the standard's hedged form.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{KeyPair as _, ML_DSA_87, ML_DSA_87_SIGNING, ParsedPublicKey, PqdsaKeyPair};
use zeroize::Zeroizing;

use crate::error::Error;

/// A key pair, which signs.
pub(crate) struct MlDsaKeyPair(PqdsaKeyPair);

impl MlDsaKeyPair {
    /// A new key pair.
    pub(crate) fn generate() -> Result<Self, Error> {
        let pair = PqdsaKeyPair::generate(&ML_DSA_87_SIGNING);
        pair.map(Self).map_err(|_| Error::Cryptography("an ML-DSA key could not be generated"))
    }

    /// The key pair that [`Self::to_pkcs8`] wrote.
    pub(crate) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, Error> {
        let pair = PqdsaKeyPair::from_pkcs8(&ML_DSA_87_SIGNING, pkcs8);
        pair.map(Self).map_err(|_| Error::Damaged("an ML-DSA key does not parse"))
    }

    /// The private key as PKCS#8, which holds its seed (RFC 9881).
    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let document = self.0.to_pkcs8v1().map_err(not_encoded)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// The public key as DER `SubjectPublicKeyInfo` (RFC 9881).
    pub(crate) fn public_key_der(&self) -> Result<Vec<u8>, Error> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().map_err(not_encoded)?;
        Ok(der.as_ref().to_vec())
    }

    /// The signature over a message.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.0.algorithm().signature_len()];
        self.0
            .sign(message, &mut signature)
            .map_err(|_| Error::Cryptography("an ML-DSA signature could not be made"))?;
        Ok(signature)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err asks for")]
fn not_encoded(_: aws_lc_rs::error::Unspecified) -> Error {
    Error::Cryptography("an ML-DSA key could not be encoded")
}

/// Whether `signature` is one over `message`, by a public key in the form of [`MlDsaKeyPair::public_key_der`].
pub(crate) fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<bool, Error> {
    let key = ParsedPublicKey::new(&ML_DSA_87, public_key)
        .map_err(|_| Error::Damaged("an ML-DSA public key does not parse"))?;
    Ok(key.verify_sig(message, signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::block::hexadecimal;

    #[test]
    fn keys_and_signatures_have_the_sizes_of_fips_204() {
        let pair = MlDsaKeyPair::generate().unwrap();
        let public = pair.public_key_der().unwrap();
        // SEQUENCE, SEQUENCE with OID 2.16.840.1.101.3.4.3.19, BIT STRING of 2,592 bytes.
        let header = hexadecimal("30820a32300b0609608648016503040313");
        assert!(public.starts_with(&header) && public.ends_with(pair.0.public_key().as_ref()));
        assert_eq!(pair.0.public_key().as_ref().len(), 2592);
        assert_eq!(pair.sign(b"text").unwrap().len(), 4627);
    }

    #[test]
    fn signatures_hold_for_their_message_and_key_alone() {
        let pair = MlDsaKeyPair::from_pkcs8(&MlDsaKeyPair::generate().unwrap().to_pkcs8().unwrap()).unwrap();
        let public = pair.public_key_der().unwrap();
        let mut signature = pair.sign(b"text").unwrap();
        assert!(verify(&public, b"text", &signature).unwrap());
        assert!(!verify(&public, b"test", &signature).unwrap());
        let other = MlDsaKeyPair::generate().unwrap().public_key_der().unwrap();
        assert!(!verify(&other, b"text", &signature).unwrap());
        assert!(!verify(&public, b"text", &signature[1..]).unwrap());
        signature[2000] ^= 1;
        assert!(!verify(&public, b"text", &signature).unwrap());
        assert!(
            verify(b"no key", b"text", &signature).is_err() && MlDsaKeyPair::from_pkcs8(b"no key").is_err()
        );
    }
}
