//! Image signatures as the open tools read them, over any key service.
//!
//! A format turns a manifest digest and a raw signature into an [`Artefact`]: the blobs and the manifest that a
//! registry has to hold so that a verifier finds the signature. Formats are sibling modules that share nothing but
//! [`Digest`], [`Artefact`] and the [`Signer`] seam; each says which bytes are signed and by which [`Algorithm`].
//!
//! - [`simple`]: cosign "simple signing", a manifest under the tag `sha256-<hex>.sig`.
//! - [`bundle`]: a Sigstore bundle as a referrer of the image, what cosign looks for first since version 3.
//! - [`notation`]: a JWS envelope of the Notary Project as a referrer, with an X.509 [`certificate`] for the key.
//!
//! [`verify`] checks each of them with the public key alone.
//!
//! [`attached`] tells what is itself attached to another image and therefore never signed. Nothing here does I/O:
//! the caller reads the existing manifest, asks the signer and pushes the artefact.

mod artefact;
pub mod attached;
pub mod bundle;
pub mod certificate;
mod der;
mod digest;
pub mod notation;
mod pem;
mod referrer;
mod signer;
pub mod simple;
pub mod verify;

pub use self::artefact::{Artefact, Blob, KEY_ANNOTATION};
pub use self::digest::{Digest, DigestError};
pub use self::pem::{PemError, public_key_from_pem, public_key_pem};
pub use self::referrer::Subject;
pub use self::signer::{Algorithm, BoxFuture, KeyDescription, KeyName, KeyUsage, Signer, SignerError};
