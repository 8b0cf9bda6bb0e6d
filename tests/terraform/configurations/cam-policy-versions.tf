# cam: CreatePolicy CreatePolicyVersion SetDefaultPolicyVersion GetPolicy GetPolicyVersion ListPolicyVersions DeletePolicy DeletePolicyVersion

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_cam_policy" "pull" {
  name = "versions"

  document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["tcr:PullRepository"], resource = ["*"] }]
  })

  # It shows the version in force.
  lifecycle {
    ignore_changes = [document]
  }
}

resource "tencentcloud_cam_policy_version" "push" {
  policy_id      = tencentcloud_cam_policy.pull.id
  set_as_default = false

  # The other resource sets it.
  lifecycle {
    ignore_changes = [set_as_default]
  }

  policy_document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["tcr:PushRepository"], resource = ["*"] }]
  })
}

resource "tencentcloud_cam_set_policy_version_config" "in_force" {
  policy_id  = tencentcloud_cam_policy_version.push.policy_id
  version_id = var.step == 1 ? 2 : 1
}
