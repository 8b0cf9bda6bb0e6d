//! Second factors: `SerialNumber` and `TokenCode`.
//!
//! The platform's console binds a software token to a user; no action does. Here an admin page of this machine does
//! ([`Cam::bind_mfa`]). The codes are RFC 6238's: six digits of HMAC-SHA-1, a new one each half minute, as every authenticator makes them.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use rookery_gateway::{Caller, Principal};
use rookery_seal::Sealed;
use rookery_store::{Account as Scope, Read as _, StoreError, Table};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Cam;
use crate::cam::users::Users;
use crate::sts::error::Error;

/// Bytes of a seed, as RFC 4226 recommends.
const SEED: usize = 20;
/// How long a code is shown, in seconds.
const STEP: i64 = 30;
/// By how many steps the device's clock may be off.
const DRIFT: i64 = 1;
const CODES: u32 = 1_000_000;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Bound devices, by the number of the identity.
pub(crate) struct MfaDevices;

/// A software token.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct MfaDeviceRow {
    seed: Sealed,
    bound_at: i64,
    /// The step of the last code that was taken: none is taken twice, and none before it.
    used: i64,
}

impl Table for MfaDevices {
    const NAME: &'static str = "identity.mfa-devices";
    type Scope = Scope;
    type Key = u64;
    type Row = MfaDeviceRow;
}

/// A device that was bound, told once. Nothing shows it but the reply that it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BoundDevice {
    /// What requests name it by.
    pub serial_number: String,
    /// The seed in Base32, for an authenticator.
    pub secret: String,
    /// The same as an address that authenticators read.
    pub uri: String,
}

impl std::fmt::Debug for BoundDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BoundDevice").field("serial_number", &self.serial_number).finish_non_exhaustive()
    }
}

/// Why no device was bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Neither the root nor a user of the account.
    #[error("no such identity")]
    NoIdentity,
    /// The store failed, the seal refused, or there was no randomness.
    #[error("the device cannot be kept")]
    Failed,
}

fn context(uin: u64) -> String {
    format!("identity/mfa/{uin}")
}

/// The code of a step.
fn code(seed: &[u8], step: i64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    // RFC 4226, §5.3: four bytes from where the last one points to.
    let from = usize::from(tag.last().copied().unwrap_or_default() & 0xf);
    let number = tag.iter().skip(from).take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    (number & 0x7fff_ffff) % CODES
}

/// The step, near `now` and after `used`, whose code it is.
fn step_of(seed: &[u8], given: &str, now: i64, used: i64) -> Option<i64> {
    // Digits only: a parser of numbers would take a sign.
    let digits = given.len() == 6 && given.bytes().all(|byte| byte.is_ascii_digit());
    let given: u32 = given.parse().ok().filter(|_| digits)?;
    let current = now.div_euclid(STEP);
    // All are looked at, so that the time says nothing of which it was.
    let mut found = None;
    for step in current - DRIFT..=current + DRIFT {
        if code(seed, step) == given && step > used && found.is_none() {
            found = Some(step);
        }
    }
    found
}

fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let bits =
            group.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte)) << (8 * (5 - group.len()));
        for position in 0..(group.len() * 8).div_ceil(5) {
            let five = (bits >> (35 - 5 * position)) & 31;
            text.extend(BASE32.get(usize::try_from(five).unwrap_or_default()).copied().map(char::from));
        }
    }
    text
}

impl Cam {
    /// Binds a fresh software token to the root or to a user; one that was bound before is good no longer.
    pub async fn bind_mfa(&self, uin: u64) -> Result<BoundDevice, BindError> {
        let root = self.root().uin;
        let mut seed = Zeroizing::new([0; SEED]);
        SystemRandom::new().fill(&mut *seed).map_err(|_| BindError::Failed)?;
        let row = MfaDeviceRow {
            seed: self.seal.seal(&context(uin), &*seed).map_err(|_| BindError::Failed)?,
            bound_at: self.world.unix_seconds(),
            used: 0,
        };
        let bound = self
            .store
            .write(move |tx| {
                let scope = Scope { uin: root };
                if uin != root && !tx.contains::<Users>(&scope, &uin)? {
                    return Ok(false);
                }
                tx.put::<MfaDevices>(&scope, &uin, &row)?;
                Ok::<_, StoreError>(true)
            })
            .await
            .map_err(|error| {
                tracing::error!(%error, "an MFA device cannot be kept");
                BindError::Failed
            })?;
        if !bound {
            return Err(BindError::NoIdentity);
        }
        let secret = base32(&*seed);
        let uri = format!("otpauth://totp/rookery:{uin}?secret={secret}&issuer=rookery");
        Ok(BoundDevice { serial_number: serial_number(root), secret, uri })
    }

    /// Checks the code of the caller's own device. A code is taken once: that is durable before this returns.
    pub(crate) async fn check_mfa(&self, caller: &Caller, serial: &str, code: &str) -> Result<(), Error> {
        let root = caller.account.uin;
        if !matches!(caller.principal, Principal::Root | Principal::User { .. }) {
            return Err(Error::NoMfaDevice);
        }
        let (device, kind) = serial.rsplit_once('/').unwrap_or_default();
        match (device == format!("qcs::cam:uin/{root}::mfa"), kind) {
            (true, "softToken") => {}
            (true, _) => return Err(Error::MfaType),
            (false, _) => return Err(Error::NoMfaDevice),
        }
        let (uin, scope, now) = (caller.uin(), Scope { uin: root }, self.world.unix_seconds());
        let (seal, given) = (self.seal.clone(), code.to_owned());
        self.store
            .write(move |tx| {
                let row = tx.get::<MfaDevices>(&scope, &uin)?.ok_or(Error::NoMfaDevice)?;
                let seed = seal.open(&context(uin), &row.seed).map_err(|_| Error::Seal)?;
                let used = step_of(&seed, &given, now, row.used).ok_or(Error::WrongMfaCode)?;
                tx.put::<MfaDevices>(&scope, &uin, &MfaDeviceRow { used, ..row })?;
                Ok::<_, Error>(())
            })
            .await
    }

    /// As [`check_mfa`](Self::check_mfa), where a request may name a device and does not have to.
    pub(crate) async fn check_mfa_if_named(
        &self,
        caller: &Caller,
        serial: Option<&str>,
        code: Option<&str>,
    ) -> Result<(), Error> {
        let given = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
        match (serial, code) {
            (Some(serial), Some(code)) if !serial.is_empty() && !code.is_empty() => {
                self.check_mfa(caller, serial, code).await
            }
            _ if !given(serial) && !given(code) => Ok(()),
            _ => Err(Error::Parameter {
                parameter: "TokenCode",
                rule: "must come together with `SerialNumber`",
            }),
        }
    }
}

fn serial_number(account: u64) -> String {
    format!("qcs::cam:uin/{account}::mfa/softToken")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, of whose eight digits the last six are shown.
    #[test]
    fn codes_are_those_of_the_standard() {
        let seed = b"12345678901234567890";
        for (at, expected) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(code(seed, at / STEP), expected, "{at}");
        }
        assert_eq!(base32(seed), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!((base32(b"f").as_str(), base32(b"foobar").as_str()), ("MY", "MZXW6YTBOI"));
    }

    #[test]
    fn codes_are_taken_near_their_time_and_once() {
        let seed = b"12345678901234567890";
        let step = 1_111_111_111 / STEP;
        for (now, used, expected) in [
            (1_111_111_111, 0, Some(step)),
            (1_111_111_111 + STEP, 0, Some(step)),
            (1_111_111_111 - STEP, 0, Some(step)),
            (1_111_111_111 + 2 * STEP, 0, None),
            (1_111_111_111, step, None),
            (1_111_111_111, step - 1, Some(step)),
        ] {
            assert_eq!(step_of(seed, "050471", now, used), expected);
        }
        for wrong in ["50471", "0050471", "05047x", "", "+50471"] {
            assert_eq!(step_of(seed, wrong, 1_111_111_111, 0), None, "{wrong}");
        }
    }
}
