//! `cam:DescribeSubAccounts`: sub-users by their numbers.

use rookery_api::cam::{DescribeSubAccountsRequest, DescribeSubAccountsResponse, SubAccountUser};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_user, scope};
use crate::cam::error::Error;
use crate::cam::moments;
use crate::cam::users::Users;

/// Numbers that are no sub-user's are left out, as the root's own, by which Terraform asks.
pub(crate) async fn describe_sub_accounts(
    cam: &Cam,
    call: Call<DescribeSubAccountsRequest>,
) -> Result<DescribeSubAccountsResponse, Error> {
    let scope = scope(&call);
    let uins = call.request.filter_sub_account_uin;
    if uins.is_empty() || uins.len() > 50 {
        let rule = "must have 1 to 50 numbers";
        return Err(Error::PlainParameter { parameter: "FilterSubAccountUin", rule });
    }
    let mut sub_accounts = Vec::new();
    cam.store.read(|view| {
        for uin in uins {
            let Some(user) = view.get::<Users>(&scope, &uin)? else { continue };
            sub_accounts.push(SubAccountUser {
                uin,
                name: user.name,
                uid: user.uid,
                remark: user.remark,
                create_time: Some(moments::local(user.created_at)),
                user_type: 2,
                last_login_ip: String::new(),
                last_login_time: None,
            });
        }
        Ok::<_, Error>(())
    })?;
    Ok(DescribeSubAccountsResponse { sub_accounts })
}

pub(crate) fn resources(_: &Cam, call: &Call<DescribeSubAccountsRequest>) -> Vec<Resource> {
    call.request.filter_sub_account_uin.iter().flat_map(|uin| on_user(*uin)).collect()
}
