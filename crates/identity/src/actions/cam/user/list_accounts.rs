//! `cam:ListAccounts`: the root, the sub-users and the message receivers, page by page.

use rookery_api::cam::{ListAccountsRequest, ListAccountsResponse, ListAllUser};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Cam;
use crate::account;
use crate::actions::cam::{on_all, scope};
use crate::cam::error::Error;
use crate::cam::moments;
use crate::cam::receivers::Receivers;
use crate::cam::users::Users;

/// How many rows a reply has where nothing is said, and at most.
const MOST: usize = 100;

/// The kinds of accounts, of which those that this cloud cannot have are listed as empty.
const KINDS: [&str; 7] =
    ["Owner", "SubUser", "CICUser", "WechatCorpUser", "AgentIdentity", "Collaborator", "MessageReceiver"];

/// The marker is the `Uin` of the last row of the page before.
pub(crate) async fn list_accounts(
    cam: &Cam,
    call: Call<ListAccountsRequest>,
) -> Result<ListAccountsResponse, Error> {
    let request = &call.request;
    let most = match request.max_items {
        None => MOST,
        Some(number) => usize::try_from(number)
            .ok()
            .filter(|number| (1..=MOST).contains(number))
            .ok_or(Error::PlainParameter { parameter: "MaxItems", rule: "must be between 1 and 100" })?,
    };
    let kind = request.user_type.as_deref().filter(|kind| !kind.is_empty());
    if kind.is_some_and(|kind| !KINDS.contains(&kind)) {
        return Err(Error::PlainParameter { parameter: "UserType", rule: "is no kind of account" });
    }
    let mut users = everybody(cam, &call)?;
    if let Some(kind) = kind {
        users.retain(|user| user.user_type == kind);
    }
    if let Some(marker) = request.marker.as_deref().filter(|marker| !marker.is_empty()) {
        let last: i64 = marker.parse().map_err(|_| Error::Marker)?;
        users.retain(|user| user.uin > last);
    }
    let is_truncated = users.len() > most;
    users.truncate(most);
    let last = users.last().filter(|_| is_truncated);
    Ok(ListAccountsResponse {
        marker: last.map(|user| user.uin.to_string()).unwrap_or_default(),
        users,
        is_truncated,
    })
}

/// Every account, by its `Uin`.
fn everybody(cam: &Cam, call: &Call<ListAccountsRequest>) -> Result<Vec<ListAllUser>, Error> {
    let scope = scope(call);
    let (created_at, users, receivers) = cam.store.read(|view| {
        let created_at = account::created_at(view, scope.uin)?;
        Ok::<_, Error>((
            created_at,
            view.scan::<Users>(&scope, Scan::all())?,
            view.scan::<Receivers>(&scope, Scan::all())?,
        ))
    })?;
    let owner = ListAllUser {
        uin: scope.uin.cast_signed(),
        name: scope.uin.to_string(),
        console_login: 1,
        create_time: moments::local(created_at),
        user_type: "Owner".to_owned(),
        ..ListAllUser::default()
    };
    let users = users.into_iter().map(|(uin, user)| ListAllUser {
        uin: uin.cast_signed(),
        name: user.name,
        uid: user.uid.cast_signed(),
        remark: user.remark,
        console_login: i64::from(user.console_login),
        phone_num: user.phone,
        country_code: user.country_code,
        email: user.email,
        create_time: moments::local(user.created_at),
        user_type: "SubUser".to_owned(),
    });
    let receivers = receivers.into_iter().map(|(name, receiver)| ListAllUser {
        uin: receiver.uin.cast_signed(),
        name,
        uid: receiver.uid.cast_signed(),
        remark: receiver.remark,
        console_login: 0,
        phone_num: receiver.phone,
        country_code: receiver.country_code,
        email: receiver.email,
        create_time: moments::local(receiver.created_at),
        user_type: "MessageReceiver".to_owned(),
    });
    let mut all: Vec<_> = std::iter::once(owner).chain(users).chain(receivers).collect();
    all.sort_by_key(|user| user.uin);
    Ok(all)
}

pub(crate) fn resources(_: &Cam, _: &Call<ListAccountsRequest>) -> Vec<Resource> {
    on_all()
}
