resource "tencentcloud_cam_policy" "pull" {
  name = "versions"

  document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["tcr:PullRepository"], resource = ["*"] }]
  })
}

resource "tencentcloud_cam_policy_version" "push" {
  policy_id      = tencentcloud_cam_policy.pull.id
  set_as_default = false

  policy_document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["tcr:PushRepository"], resource = ["*"] }]
  })
}

resource "tencentcloud_cam_set_policy_version_config" "first" {
  policy_id  = tencentcloud_cam_policy_version.push.policy_id
  version_id = 1
}
