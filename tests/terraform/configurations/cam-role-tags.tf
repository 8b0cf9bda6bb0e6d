# cam: CreateRole TagRole GetRole DescribeRoleList UntagRole DeleteRole
# tag: DescribeResourceTagsByResourceIds

resource "tencentcloud_cam_role" "runner" {
  name = "tagged-by-attachment"

  document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["name/sts:AssumeRole"], principal = { service = ["cvm.qcloud.com"] } }]
  })

  lifecycle {
    ignore_changes = [tags]
  }
}

resource "tencentcloud_cam_tag_role_attachment" "team" {
  role_id = tencentcloud_cam_role.runner.id

  tags {
    key   = "team"
    value = "build"
  }
}
