//! The actions of CAM, one a file. Permission is asked for on `uin/<user>`, `groupid/<group>`, `policyid/<policy>`, `role/<role>`,
//! `saml-provider/<name>` and `oidc-provider/<name>` of the account.
//!
//! What one machine cannot make real is at the end of the list, with the reason that its caller reads.

#[cfg(test)]
mod tests;

use rookery_api::cam::{
    BuildDataFlowAuthTokenRequest, ConsumeCustomMFATokenRequest, GetCustomMFATokenInfoRequest,
    ListCollaboratorsRequest, ListWeChatWorkSubAccountsRequest,
};
use rookery_gateway::{Call, Resource};
use rookery_store::Account;

use crate::Cam;
use crate::cam::roles::Wanted;
use crate::cam::users;

rookery_gateway::actions! { Cam:
    user {
        add_user, update_user, delete_user, get_user, list_users, list_accounts, describe_sub_accounts,
        get_user_app_id, get_account_summary,
    }
    access_key {
        create_access_key, list_access_keys, update_access_key, delete_access_key, get_security_last_used,
    }
    group {
        create_group, update_group, delete_group, get_group, list_groups, list_groups_for_user,
        list_users_for_group, add_user_to_group, remove_user_from_group,
    }
    policy {
        create_policy, update_policy, delete_policy, get_policy, list_policies, create_policy_version,
        delete_policy_version, get_policy_version, list_policy_versions, set_default_policy_version,
        list_entities_for_policy, list_policies_granting_service_access,
    }
    attachment {
        attach_user_policy, detach_user_policy, list_attached_user_policies, list_attached_user_all_policies,
        attach_group_policy, detach_group_policy, list_attached_group_policies, attach_role_policy,
        detach_role_policy, list_attached_role_policies,
    }
    boundary {
        put_user_permissions_boundary, get_user_permission_boundary, delete_user_permissions_boundary,
        put_role_permissions_boundary, get_role_permission_boundary, delete_role_permissions_boundary,
    }
    role {
        create_role, get_role, describe_role_list, update_assume_role_policy, update_role_description,
        update_role_console_login, update_role_session_duration, delete_role, tag_role, untag_role,
        create_service_linked_role, delete_service_linked_role, get_service_linked_role_deletion_status,
    }
    provider {
        create_saml_provider, update_saml_provider, delete_saml_provider, get_saml_provider,
        list_saml_providers, create_oidc_config, update_oidc_config, delete_oidc_config, describe_oidc_config,
    }
    user_sso {
        create_user_saml_config, update_user_saml_config, describe_user_saml_config, create_user_oidc_config,
        update_user_oidc_config, describe_user_oidc_config, disable_user_sso,
    }
    security {
        describe_safe_auth_flag, describe_safe_auth_flag_coll, describe_safe_auth_flag_intl, set_mfa_flag,
        get_password_rules, update_password_rules, create_sub_account_login_ip_policy,
    }
    receiver { create_message_receiver, delete_message_receiver, list_receiver }
    ; unsupported("collaborators are the roots of other accounts, invited in the console, and no action of the API makes one", "协作者是在控制台邀请的其他主账号，没有接口可以创建") {
        ListCollaboratorsRequest
    }
    ; unsupported("sub-accounts of that kind come from a company's WeChat Work, which is not here", "此类子用户来自企业微信，本机没有企业微信") {
        ListWeChatWorkSubAccountsRequest
    }
    ; unsupported("the token is made by a company's own device at a console login, and no action of the API makes one", "令牌由企业自有设备在登录控制台时生成，没有接口可以创建") {
        GetCustomMFATokenInfoRequest, ConsumeCustomMFATokenRequest
    }
    ; unsupported("no database of these products takes its passwords from CAM", "这些产品的数据库均不通过 CAM 认证密码") {
        BuildDataFlowAuthTokenRequest
    }
}

/// The account whose rows a call works with.
fn scope<R>(call: &Call<R>) -> Account {
    Account { uin: call.caller.account.uin }
}

/// A sub-user, or the root.
fn on_user(uin: u64) -> Vec<Resource> {
    vec![Resource::named(format!("uin/{uin}"))]
}

/// A sub-user by its name. One that is not there stands for all, so that only who may act on every user learns that it is not.
fn on_user_named<R>(cam: &Cam, call: &Call<R>, name: &str) -> Vec<Resource> {
    let found = cam.store.read(|view| users::named(view, call.caller.account.uin, name));
    vec![Resource::named(found.map_or_else(|_| "uin/*".to_owned(), |(uin, _)| format!("uin/{uin}")))]
}

/// A group.
fn on_group(id: u64) -> Vec<Resource> {
    vec![Resource::named(format!("groupid/{id}"))]
}

/// A policy.
fn on_policy(id: u64) -> Vec<Resource> {
    vec![Resource::named(format!("policyid/{id}"))]
}

/// A role by its number or name; the resource has the number. One that is not there stands for all, as with users.
fn on_role<R>(cam: &Cam, call: &Call<R>, id: Option<&str>, name: Option<&str>) -> Vec<Resource> {
    let wanted = Wanted::read(id.map(str::to_owned), name.map(str::to_owned));
    let found = wanted.and_then(|wanted| cam.store.read(|view| wanted.find(view, call.caller.account.uin)));
    vec![Resource::named(found.map_or_else(|_| "role/*".to_owned(), |(id, _)| format!("role/{id}")))]
}

/// Everything of the account: lists and settings.
fn on_all() -> Vec<Resource> {
    vec![Resource::any()]
}

/// Whose keys a call is about: the named user's, else the caller's own.
fn access_key_resources<R>(call: &Call<R>, named: Option<u64>) -> Vec<Resource> {
    on_user(named.filter(|uin| *uin != 0).unwrap_or_else(|| call.caller.uin()))
}

/// A SAML provider.
fn on_saml_provider(name: &str) -> Vec<Resource> {
    vec![Resource::named(format!("saml-provider/{name}"))]
}

/// An OIDC provider.
fn on_oidc_provider(name: &str) -> Vec<Resource> {
    vec![Resource::named(format!("oidc-provider/{name}"))]
}
