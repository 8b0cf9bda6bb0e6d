//! `cam:GetPasswordRules`: what the passwords of sub-users must be.

use rookery_api::cam::{GetPasswordRulesRequest, GetPasswordRulesResponse, PassWordRule};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_all;
use crate::cam::error::Error;
use crate::cam::moments;
use crate::cam::settings::PasswordRulesRow;

/// Where nothing was set, the platform's rules are told, with neither a moment nor somebody who set them.
pub(crate) async fn get_password_rules(
    cam: &Cam,
    call: Call<GetPasswordRulesRequest>,
) -> Result<GetPasswordRulesResponse, Error> {
    let rules = cam.store.read(|view| PasswordRulesRow::read(view, call.caller.account.uin))?;
    let changed = rules.modifier != 0;
    let number = |number: u64| Some(i64::try_from(number).unwrap_or(i64::MAX));
    Ok(GetPasswordRulesResponse {
        rules: PassWordRule {
            minimum_length: number(rules.minimum_length),
            must_contain: Some(rules.must_contain),
            force_password_change: number(rules.force_change_days),
            reuse_password_limit: number(rules.reuse_limit),
            retry_password_limit: number(rules.retry_limit),
            password_expiration_invalidation: Some(if rules.expired_locks_out { 1 } else { 2 }),
        },
        update_time: if changed { moments::local(rules.updated_at) } else { String::new() },
        modifier: if changed { rules.modifier.to_string() } else { String::new() },
    })
}

pub(crate) fn resources(_: &Cam, _: &Call<GetPasswordRulesRequest>) -> Vec<Resource> {
    on_all()
}
