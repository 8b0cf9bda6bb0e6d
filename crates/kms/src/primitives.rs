//! The algorithms that aws-lc-rs does not have, or has without the form that is needed here: SM2, SM3 and SM4 of the Chinese
//! standards, the post-quantum ML-KEM and ML-DSA, and the block mode of white-box keys.
//!
//! Each is held to the examples of its standard by tests, and to `openssl` where that has it.

pub(crate) mod block;
pub(crate) mod ml_dsa;
pub(crate) mod ml_kem;
pub(crate) mod sm2;
pub(crate) mod sm4;
