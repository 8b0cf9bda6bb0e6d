# cam: CreatePolicy CreateRole AttachRolePolicy GetPolicy ListAttachedRolePolicies ListPolicies DescribeRoleList UpdatePolicy UpdateRoleDescription DetachRolePolicy DeletePolicy DeleteRole
# tag: DescribeResourceTagsByResourceIds

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_cam_role_by_name" "runner" {
  name        = "runner-by-name"
  description = "step ${var.step}"

  document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["name/sts:AssumeRole"], principal = { service = ["cvm.qcloud.com"] } }]
  })
}

resource "tencentcloud_cam_policy_by_name" "pull" {
  name        = "pull-by-name"
  description = "step ${var.step}"

  document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["tcr:PullRepository"], resource = ["*"] }]
  })
}

resource "tencentcloud_cam_role_policy_attachment_by_name" "pull" {
  role_name   = tencentcloud_cam_role_by_name.runner.name
  policy_name = tencentcloud_cam_policy_by_name.pull.name
}
