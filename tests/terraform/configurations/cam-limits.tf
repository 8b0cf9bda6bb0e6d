# cam: AddUser GetUser DeleteUser CreateRole DescribeRoleList GetRole DeleteRole CreatePolicy GetPolicy DeletePolicy CreatePolicyVersion GetPolicyVersion DeletePolicyVersion PutUserPermissionsBoundary GetUserPermissionBoundary DeleteUserPermissionsBoundary PutRolePermissionsBoundary GetRolePermissionBoundary DeleteRolePermissionsBoundary SetMfaFlag DescribeSafeAuthFlagColl
# cam: CreateMessageReceiver ListReceiver DeleteMessageReceiver GetAccountSummary ListEntitiesForPolicy ListPoliciesGrantingServiceAccess GetSecurityLastUsed DescribeSubAccounts ListAttachedUserAllPolicies ListGroupsForUser
# tag: DescribeResourceTagsByResourceIds

resource "tencentcloud_cam_policy" "limit" {
  name = "limit"

  document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["tcr:*"], resource = ["*"] }]
  })
}

resource "tencentcloud_cam_policy_version" "narrower" {
  policy_id      = tencentcloud_cam_policy.limit.id
  set_as_default = false

  policy_document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["tcr:Pull*"], resource = ["*"] }]
  })
}

resource "tencentcloud_cam_user" "guest" {
  name          = "guest"
  console_login = true
  password      = "Guest@1234"
  phone_num     = "13800000000"
  country_code  = "86"
  email         = "guest@example.com"
  use_api       = true
  force_delete  = true
}

resource "tencentcloud_cam_user_permission_boundary_attachment" "guest" {
  target_uin = tencentcloud_cam_user.guest.uin
  policy_id  = tencentcloud_cam_policy.limit.id
}

resource "tencentcloud_cam_mfa_flag" "guest" {
  op_uin = tencentcloud_cam_user.guest.uin

  login_flag {
    phone  = 0
    stoken = 1
    wechat = 0
  }

  action_flag {
    phone  = 1
    stoken = 0
    wechat = 0
  }
}

resource "tencentcloud_cam_role" "runner" {
  name = "runner"

  document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["name/sts:AssumeRole"], principal = { service = ["cvm.qcloud.com"] } }]
  })
}

resource "tencentcloud_cam_role_permission_boundary_attachment" "runner" {
  role_id   = tencentcloud_cam_role.runner.id
  policy_id = tencentcloud_cam_policy.limit.id
}

resource "tencentcloud_cam_message_receiver" "on_call" {
  name         = "on-call"
  remark       = "at night"
  country_code = "86"
  phone_number = "13800000001"
  email        = "night@example.com"
}

data "tencentcloud_cam_account_summary" "all" {}

data "tencentcloud_cam_list_entities_for_policy" "administrators" {
  policy_id     = 1
  entity_filter = "All"
}

data "tencentcloud_cam_policy_granting_service_access" "runner" {
  role_id = tencentcloud_cam_role.runner.id
}

data "tencentcloud_cam_secret_last_used_time" "guest" {
  secret_id_list = [tencentcloud_cam_user.guest.secret_id]
}

data "tencentcloud_cam_sub_accounts" "guest" {
  filter_sub_account_uin = [tencentcloud_cam_user.guest.uin]
}

data "tencentcloud_cam_list_attached_user_policy" "guest" {
  target_uin  = tencentcloud_cam_user.guest.uin
  attach_type = 0
}

data "tencentcloud_cam_group_user_account" "guest" {
  sub_uin = tencentcloud_cam_user.guest.uin
}
