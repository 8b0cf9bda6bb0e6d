//! `cam:CreateMessageReceiver`: somebody who gets the account's messages.

use rookery_api::cam::{CreateMessageReceiverRequest, CreateMessageReceiverResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::error::Error;
use crate::cam::names::{self, Contact};
use crate::cam::numbers::{self, Numbered};
use crate::cam::receivers::{RECEIVERS, ReceiverRow, Receivers};
use crate::cam::users;

/// Its name is no sub-user's. `PhoneNumVerifyLink` stays empty: nothing here sends the message that it would come with.
pub(crate) async fn create_message_receiver(
    cam: &Cam,
    call: Call<CreateMessageReceiverRequest>,
) -> Result<CreateMessageReceiverResponse, Error> {
    let (scope, now) = (scope(&call), cam.world.unix_seconds());
    let request = call.request;
    let name = request.name;
    names::free("Name", &name)?;
    let contact = Contact {
        phone: Some(request.phone_number.clone()),
        country_code: Some(request.country_code.clone()),
        email: Some(request.email.clone()),
    };
    contact.check()?;
    if request.email.is_empty() || request.phone_number.is_empty() {
        return Err(Error::PlainParameter {
            parameter: "Email",
            rule: "and `PhoneNumber` must not be empty",
        });
    }
    let row = ReceiverRow {
        uid: 0,
        uin: 0,
        remark: names::description(request.remark)?,
        phone: request.phone_number,
        country_code: request.country_code,
        email: request.email,
        created_at: now,
    };
    cam.change(scope.uin, move |change| {
        let is_user = users::named(change.tx, scope.uin, &name).is_ok();
        if is_user || change.tx.contains::<Receivers>(&scope, name.as_str())? {
            return Err(Error::UserNameTaken { name: name.clone() });
        }
        if change.tx.count::<Receivers>(&scope, Scan::all())? >= RECEIVERS {
            return Err(Error::ReceiversFull { limit: RECEIVERS });
        }
        let uid = numbers::next(change.tx, Numbered::Uid)?;
        let uin = numbers::next(change.tx, Numbered::Uin)?;
        Ok(change.tx.put::<Receivers>(&scope, &name, &ReceiverRow { uid, uin, ..row.clone() })?)
    })
    .await?;
    Ok(CreateMessageReceiverResponse { phone_num_verify_link: String::new() })
}

pub(crate) fn resources(_: &Cam, _: &Call<CreateMessageReceiverRequest>) -> Vec<Resource> {
    on_all()
}
