# cam: GetUserAppId DescribeSubAccounts CreateRole DescribeRoleList UpdateRoleDescription UpdateRoleSessionDuration UpdateAssumeRolePolicy DeleteRole AttachRolePolicy ListAttachedRolePolicies DetachRolePolicy CreatePolicy GetPolicy DeletePolicy
# tag: ModifyResourceTags DescribeResourceTagsByResourceIds
# sts: AssumeRole

variable "step" {
  type    = number
  default = 1
}

data "tencentcloud_user_info" "me" {}

resource "tencentcloud_cam_role" "deployer" {
  name             = "deployer"
  description      = "step ${var.step}"
  session_duration = var.step == 1 ? 7200 : 3600

  document = jsonencode({
    version = "2.0"
    statement = [{
      action = "name/sts:AssumeRole"
      effect = "allow"
      principal = merge(
        { qcs = ["qcs::cam::uin/${data.tencentcloud_user_info.me.owner_uin}:root"] },
        var.step == 1 ? {} : { service = ["cvm.qcloud.com"] },
      )
    }]
  })

  tags = {
    step = tostring(var.step)
  }
}

resource "tencentcloud_cam_policy" "pull" {
  name = "pull"

  document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["tcr:PullRepository"], resource = ["*"] }]
  })
}

resource "tencentcloud_cam_role_policy_attachment" "pull" {
  role_id   = tencentcloud_cam_role.deployer.id
  policy_id = tencentcloud_cam_policy.pull.id
}

resource "tencentcloud_sts_assume_role_operation" "deployer" {
  role_arn          = "qcs::cam::uin/${data.tencentcloud_user_info.me.owner_uin}:roleName/${tencentcloud_cam_role.deployer.name}"
  role_session_name = "terraform"
}
