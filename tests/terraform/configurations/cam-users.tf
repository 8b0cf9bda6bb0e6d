# cam: AddUser GetUser UpdateUser DeleteUser CreateGroup GetGroup UpdateGroup DeleteGroup AddUserToGroup ListUsersForGroup RemoveUserFromGroup CreatePolicy GetPolicy UpdatePolicy DeletePolicy AttachUserPolicy ListAttachedUserPolicies DetachUserPolicy AttachGroupPolicy ListAttachedGroupPolicies DetachGroupPolicy ListUsers
# tag: ModifyResourceTags DescribeResourceTagsByResourceIds

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_cam_user" "builder" {
  name         = "builder"
  remark       = "step ${var.step}"
  use_api      = true
  force_delete = true

  tags = {
    step = tostring(var.step)
  }
}

resource "tencentcloud_cam_group" "builders" {
  name   = "builders"
  remark = "step ${var.step}"
}

resource "tencentcloud_cam_group_membership" "builders" {
  group_id   = tencentcloud_cam_group.builders.id
  user_names = [tencentcloud_cam_user.builder.id]
}

resource "tencentcloud_cam_policy" "push" {
  name        = "push"
  description = "step ${var.step}"

  document = jsonencode({
    version = "2.0"
    statement = [{
      effect   = "allow"
      action   = var.step == 1 ? ["tcr:PullRepository"] : ["tcr:PullRepository", "tcr:PushRepository"]
      resource = ["*"]
    }]
  })
}

resource "tencentcloud_cam_user_policy_attachment" "push" {
  user_name = tencentcloud_cam_user.builder.name
  policy_id = tencentcloud_cam_policy.push.id
}

resource "tencentcloud_cam_group_policy_attachment" "push" {
  group_id  = tencentcloud_cam_group.builders.id
  policy_id = tencentcloud_cam_policy.push.id
}

data "tencentcloud_cam_users" "builder" {
  name = tencentcloud_cam_user.builder.name
}
