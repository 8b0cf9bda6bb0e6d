//! `cam:ListReceiver`: who gets the account's messages.

use rookery_api::cam::{ListReceiverRequest, ListReceiverResponse, Receiver};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::error::Error;
use crate::cam::pages;
use crate::cam::receivers::Receivers;

/// Phone numbers and mail addresses are not verified here, and nobody is bound to a messenger.
pub(crate) async fn list_receiver(
    cam: &Cam,
    call: Call<ListReceiverRequest>,
) -> Result<ListReceiverResponse, Error> {
    let scope = scope(&call);
    let rows = cam.store.read(|view| view.scan::<Receivers>(&scope, Scan::all()))?;
    let (rows, total) = pages::from_offset(rows, call.request.offset, call.request.limit)?;
    let receivers = rows.into_iter().map(|(name, row)| Receiver {
        uid: row.uid,
        name,
        remark: Some(row.remark),
        phone_number: row.phone,
        phone_flag: 0,
        email: row.email,
        email_flag: 0,
        is_receiver_owner: 0,
        wechat_flag: 0,
        uin: row.uin.cast_signed(),
        country_code: row.country_code,
    });
    Ok(ListReceiverResponse { total_count: total.cast_signed(), receivers: receivers.collect() })
}

pub(crate) fn resources(_: &Cam, _: &Call<ListReceiverRequest>) -> Vec<Resource> {
    on_all()
}
