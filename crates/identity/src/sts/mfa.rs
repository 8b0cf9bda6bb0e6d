//! Second factors: `SerialNumber` and `TokenCode`.

use crate::sts::error::Error;

/// Checks the code of a device that a request names. No action binds a device (the platform's console does), so none is bound here,
/// and a request that names one is refused instead of being believed.
pub(crate) fn check(serial_number: Option<&str>, code: Option<&str>) -> Result<(), Error> {
    let given = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
    match (given(serial_number), given(code)) {
        (false, false) => Ok(()),
        (true, true) => Err(Error::NoMfaDevice),
        _ => Err(Error::Parameter { parameter: "TokenCode", rule: "must come together with `SerialNumber`" }),
    }
}
