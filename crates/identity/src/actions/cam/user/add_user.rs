//! `cam:AddUser`: a sub-user, with a console password and a key where asked for.

use rookery_api::cam::{AddUserRequest, AddUserResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};
use zeroize::Zeroizing;

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::access_keys::{self, Fresh};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::names::{self, Contact};
use crate::cam::numbers::{self, Numbered};
use crate::cam::passwords;
use crate::cam::settings::{MfaFlags, PasswordRulesRow};
use crate::cam::users::{self, ByName, UserRow, Users};

/// A user who may log in and for whom no password is given gets a random one, which only this reply shows. `PhoneNumVerifyLink` stays
/// empty: nothing here sends the message that it would come with.
pub(crate) async fn add_user(cam: &Cam, call: Call<AddUserRequest>) -> Result<AddUserResponse, Error> {
    let (scope, now) = (scope(&call), cam.world.unix_seconds());
    let request = call.request;
    names::user(&request.name)?;
    let remark = names::description(request.remark)?;
    let contact =
        Contact { phone: request.phone_num, country_code: request.country_code, email: request.email };
    contact.check()?;
    let console_login = names::flag("ConsoleLogin", request.console_login)?.unwrap_or(false);
    let need_reset_password = names::flag("NeedResetPassword", request.need_reset_password)?.unwrap_or(false);
    let with_key = names::flag("UseApi", request.use_api)?.unwrap_or(false);
    let password = password(cam, scope.uin, request.password, console_login)?;
    let hash = match &password {
        Some(password) => Some(passwords::hash(password.clone(), now).await?),
        None => None,
    };
    // The secret has to be sealed before the user's number is known, and it does not depend on it.
    let fresh = if with_key { Some(Fresh::make(&cam.seal, 0, String::new(), now)?) } else { None };
    let key = fresh.as_ref().map(Fresh::row);
    let name = request.name.clone();
    let row = UserRow {
        name: request.name,
        uid: 0,
        remark,
        console_login,
        need_reset_password,
        phone: contact.phone.unwrap_or_default(),
        country_code: contact.country_code.unwrap_or_default(),
        email: contact.email.unwrap_or_default(),
        created_at: now,
        passwords: hash.into_iter().collect(),
        boundary: None,
        mfa: MfaFlags::default(),
        tags: Vec::new(),
    };
    let (uin, uid) = cam
        .change(scope.uin, move |change| {
            if change.tx.find::<ByName>(&(scope.uin, row.name.clone()))?.is_some() {
                return Err(Error::UserNameTaken { name: row.name.clone() });
            }
            if change.tx.count::<Users>(&scope, Scan::all())? >= users::MOST {
                return Err(Error::UsersFull { limit: users::MOST });
            }
            let uin = numbers::next(change.tx, Numbered::Uin)?;
            let uid = numbers::next(change.tx, Numbered::Uid)?;
            change.tx.put::<Users>(&scope, &uin, &UserRow { uid, ..row.clone() })?;
            change.note(Changed::User(uin));
            if let Some((id, mut key)) = key.clone() {
                key.uin = uin;
                access_keys::keep(change, scope.uin, &(id, key))?;
            }
            Ok((uin, uid))
        })
        .await?;
    let (secret_id, secret_key) =
        fresh.map(|key| (key.id, key.secret.as_str().to_owned())).unwrap_or_default();
    Ok(AddUserResponse {
        uin,
        name,
        password: password.map(|password| password.as_str().to_owned()).unwrap_or_default(),
        secret_id,
        secret_key,
        uid,
        phone_num_verify_link: String::new(),
    })
}

/// The password of a new user: the given one, if it obeys the rules; else a random one, where the user may log in.
fn password(
    cam: &Cam,
    account: u64,
    given: Option<String>,
    console_login: bool,
) -> Result<Option<Zeroizing<String>>, Error> {
    match given.filter(|password| !password.is_empty()).map(Zeroizing::new) {
        Some(password) => {
            cam.store.read(|view| PasswordRulesRow::read(view, account))?.check(&password)?;
            Ok(Some(password))
        }
        None if console_login => Ok(Some(passwords::random()?)),
        None => Ok(None),
    }
}

pub(crate) fn resources(_: &Cam, _: &Call<AddUserRequest>) -> Vec<Resource> {
    on_all()
}
