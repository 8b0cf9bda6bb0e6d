//! `cam:UpdatePasswordRules`: what the passwords of sub-users must be from now on.

use rookery_api::cam::{UpdatePasswordRulesRequest, UpdatePasswordRulesResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Global;

use crate::Cam;
use crate::actions::cam::on_all;
use crate::cam::error::Error;
use crate::cam::passwords::MOST_KEPT;
use crate::cam::settings::{LONGEST, PasswordRules, PasswordRulesRow, SHORTEST};

/// Members that are not given stay as they were. Passwords that exist are not looked at: nobody has their text.
pub(crate) async fn update_password_rules(
    cam: &Cam,
    call: Call<UpdatePasswordRulesRequest>,
) -> Result<UpdatePasswordRulesResponse, Error> {
    let (account, modifier, now) = (call.caller.account.uin, call.caller.uin(), cam.world.unix_seconds());
    let rules = call.request.rules;
    let within = |value: Option<i64>, most: u64, rule: &'static str| {
        let read = |value: i64| u64::try_from(value).ok().filter(|value| *value <= most);
        value.map(|value| read(value).ok_or(Error::PasswordRules { rule })).transpose()
    };
    let minimum = within(rules.minimum_length, LONGEST, "`MinimumLength` is 8 to 32, or 0 for 8")?;
    if minimum.is_some_and(|length| length != 0 && length < SHORTEST) {
        return Err(Error::PasswordRules { rule: "`MinimumLength` is 8 to 32, or 0 for 8" });
    }
    let days = within(rules.force_password_change, 365, "`ForcePasswordChange` is 0 to 365 days")?;
    let reuse = within(rules.reuse_password_limit, MOST_KEPT as u64, "`ReusePasswordLimit` is 0 to 24")?;
    let retry = within(rules.retry_password_limit, 32, "`RetryPasswordLimit` is 0 to 32")?;
    let kinds = rules.must_contain;
    if kinds.as_deref().is_some_and(|kinds| kinds.chars().count() > 16 || kinds.chars().any(char::is_control))
    {
        return Err(Error::PasswordRules { rule: "`MustContain` has at most 16 characters" });
    }
    let locks_out = match rules.password_expiration_invalidation {
        None => None,
        Some(1) => Some(true),
        Some(2) => Some(false),
        Some(_) => return Err(Error::PasswordRules { rule: "`PasswordExpirationInvalidation` is 1 or 2" }),
    };
    cam.change(account, move |change| {
        let former = PasswordRulesRow::read(change.tx, account)?;
        let row = PasswordRulesRow {
            minimum_length: minimum.unwrap_or(former.minimum_length),
            must_contain: kinds.clone().unwrap_or(former.must_contain),
            force_change_days: days.unwrap_or(former.force_change_days),
            reuse_limit: reuse.unwrap_or(former.reuse_limit),
            retry_limit: retry.unwrap_or(former.retry_limit),
            expired_locks_out: locks_out.unwrap_or(former.expired_locks_out),
            updated_at: now,
            modifier,
        };
        Ok(change.tx.put::<PasswordRules>(&Global, &account, &row)?)
    })
    .await?;
    Ok(UpdatePasswordRulesResponse::default())
}

pub(crate) fn resources(_: &Cam, _: &Call<UpdatePasswordRulesRequest>) -> Vec<Resource> {
    on_all()
}
