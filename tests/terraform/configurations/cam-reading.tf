# cam: CreateGroup CreateOIDCConfig CreatePolicy CreateRole AddUser AddUserToGroup AttachGroupPolicy AttachRolePolicy AttachUserPolicy GetGroup GetPolicy GetRole GetUser ListAttachedGroupPolicies ListAttachedRolePolicies ListAttachedUserPolicies ListGroups ListPolicies ListUsersForGroup DescribeOIDCConfig DescribeRoleList RemoveUserFromGroup DetachGroupPolicy DetachRolePolicy DetachUserPolicy DeleteGroup DeleteOIDCConfig DeletePolicy DeleteRole DeleteUser
# tag: DescribeResourceTagsByResourceIds

resource "tencentcloud_cam_user" "reader" {
  name         = "reader"
  use_api      = true
  force_delete = true
}

resource "tencentcloud_cam_group" "readers" {
  name   = "readers"
  remark = "who read"
}

resource "tencentcloud_cam_group_membership" "readers" {
  group_id   = tencentcloud_cam_group.readers.id
  user_names = [tencentcloud_cam_user.reader.id]
}

resource "tencentcloud_cam_policy" "read" {
  name = "read"

  document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["tcr:Describe*"], resource = ["*"] }]
  })
}

resource "tencentcloud_cam_role" "reader" {
  name = "reader"

  document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["name/sts:AssumeRole"], principal = { service = ["cvm.qcloud.com"] } }]
  })
}

resource "tencentcloud_cam_role_policy_attachment" "read" {
  role_id   = tencentcloud_cam_role.reader.id
  policy_id = tencentcloud_cam_policy.read.id
}

resource "tencentcloud_cam_user_policy_attachment" "read" {
  user_name = tencentcloud_cam_user.reader.name
  policy_id = tencentcloud_cam_policy.read.id
}

resource "tencentcloud_cam_group_policy_attachment" "read" {
  group_id  = tencentcloud_cam_group.readers.id
  policy_id = tencentcloud_cam_policy.read.id
}

resource "tencentcloud_cam_role_sso" "builds" {
  name         = "reading"
  identity_url = "https://idp.example.com"
  identity_key = base64encode(jsonencode({ keys = [{ kty = "RSA", kid = "1", n = "AQAB", e = "AQAB" }] }))
  client_ids   = ["builds"]
  description  = "read"
}

data "tencentcloud_cam_groups" "readers" {
  name = tencentcloud_cam_group.readers.name
}

data "tencentcloud_cam_group_memberships" "readers" {
  group_id = tencentcloud_cam_group_membership.readers.group_id
}

data "tencentcloud_cam_group_policy_attachments" "read" {
  group_id = tencentcloud_cam_group_policy_attachment.read.group_id
}

data "tencentcloud_cam_user_policy_attachments" "read" {
  user_name = tencentcloud_cam_user_policy_attachment.read.user_name
}

data "tencentcloud_cam_role_policy_attachments" "read" {
  role_id = tencentcloud_cam_role_policy_attachment.read.role_id
}

data "tencentcloud_cam_roles" "reader" {
  name = tencentcloud_cam_role.reader.name
}

data "tencentcloud_cam_role_detail" "reader" {
  role_id = tencentcloud_cam_role.reader.id
}

data "tencentcloud_cam_policies" "read" {
  name = tencentcloud_cam_policy.read.name
}

data "tencentcloud_cam_policy_detail" "read" {
  policy_id = tencentcloud_cam_policy.read.id
}

data "tencentcloud_cam_oidc_config" "builds" {
  name = tencentcloud_cam_role_sso.builds.name
}

output "found" {
  value = {
    groups   = [for group in data.tencentcloud_cam_groups.readers.group_list : group.name]
    members  = data.tencentcloud_cam_group_memberships.readers.membership_list[*].user_names
    of_group = data.tencentcloud_cam_group_policy_attachments.read.group_policy_attachment_list[*].policy_name
    of_user  = data.tencentcloud_cam_user_policy_attachments.read.user_policy_attachment_list[*].policy_name
    of_role  = data.tencentcloud_cam_role_policy_attachments.read.role_policy_attachment_list[*].policy_name
    roles    = data.tencentcloud_cam_roles.reader.role_list[*].name
    policies = data.tencentcloud_cam_policies.read.policy_list[*].name
  }
}
