//! `tcr:CreateInstanceToken`: a password for `docker login`.

use rookery_api::tcr::{CreateInstanceTokenRequest, CreateInstanceTokenResponse, ErrorCode};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::{Error, Rule};
use crate::instances;
use crate::login_callers::LoginCaller;
use crate::moments::Moment;
use crate::tokens::{self, Claims, TokenRow, Tokens};

const TYPE: Rule = Rule { english: "must be `temp` or `longterm`", chinese: "取值须为temp或longterm" };
/// The longest `Desc`, in characters.
const DESCRIPTION: usize = 255;
const DESCRIPTION_RULE: Rule =
    Rule { english: "must have at most 255 characters", chinese: "长度不能超过255个字符" };

/// The user name is the caller's own number. A temporary token (an hour, the default) has no id and is kept nowhere; a long-term one (ten
/// years) is listed and can be disabled or deleted. Either has the rights that the caller's policies give at the time of use.
pub(crate) async fn create_instance_token(
    tcr: &Tcr,
    call: Call<CreateInstanceTokenRequest>,
) -> Result<CreateInstanceTokenResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let (owner, operator) = (call.caller.account.uin, call.caller.uin());
    let request = call.request;
    let invalid = |parameter, rule| Error::Invalid { parameter, rule, code: ErrorCode::InvalidParameter };
    let long_term = match request.token_type.as_deref() {
        None | Some("" | "temp") => false,
        Some("longterm") => true,
        Some(_) => return Err(invalid("TokenType", TYPE)),
    };
    let description = request.desc.unwrap_or_default();
    if description.chars().count() > DESCRIPTION {
        return Err(invalid("Desc", DESCRIPTION_RULE));
    }
    let instance = tcr
        .store
        .read(|view| instances::running(view, &scope, &request.registry_id, now, instances::NEW_TOKEN))?;
    let expires_at = now.plus(if long_term { tokens::LONG_TERM } else { tokens::TEMPORARY });
    // No login outlives the temporary key that made it.
    let expires_at = match &call.caller.session {
        Some(session) => expires_at.min(Moment::from_seconds(session.expires_at)),
        None => expires_at,
    };
    let caller = LoginCaller::of(&call.caller);
    let token_id = long_term.then(|| tcr.world.identifier_of("", tokens::ID_LENGTH, tokens::ID_ALPHABET));
    let claims = Claims {
        owner_uin: owner.to_string(),
        operator_uin: operator.to_string(),
        token_id: token_id.clone(),
        caller,
        exp: expires_at.seconds(),
        nbf: now.seconds(),
        iat: now.seconds(),
    };
    let token = tcr.signing_key(&instance).await?.sign(&claims)?;
    if let Some(token_id) = token_id.clone() {
        let row = TokenRow { description, enabled: true, created_at: now, expires_at, operator };
        tcr.store
            .write(move |tx| {
                instances::existing(tx, &scope, &instance.id, instances::NEW_TOKEN)?;
                tx.put::<Tokens>(&scope, &(instance.id.clone(), token_id.clone()), &row)?;
                Ok::<_, Error>(())
            })
            .await?;
    }
    Ok(CreateInstanceTokenResponse {
        username: operator.to_string(),
        token,
        exp_time: expires_at.milliseconds(),
        token_id: token_id.unwrap_or_default(),
    })
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateInstanceTokenRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
