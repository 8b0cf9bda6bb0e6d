//! `cam:DeleteMessageReceiver`: somebody who no longer gets the account's messages.

use rookery_api::cam::{DeleteMessageReceiverRequest, DeleteMessageReceiverResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::error::Error;
use crate::cam::receivers::Receivers;

pub(crate) async fn delete_message_receiver(
    cam: &Cam,
    call: Call<DeleteMessageReceiverRequest>,
) -> Result<DeleteMessageReceiverResponse, Error> {
    let (scope, name) = (scope(&call), call.request.name);
    cam.change(scope.uin, move |change| {
        if change.tx.delete::<Receivers>(&scope, &name)? {
            Ok(())
        } else {
            Err(Error::NoReceiver { name: name.clone() })
        }
    })
    .await?;
    Ok(DeleteMessageReceiverResponse::default())
}

pub(crate) fn resources(_: &Cam, _: &Call<DeleteMessageReceiverRequest>) -> Vec<Resource> {
    on_all()
}
