# cam: CreateRole DescribeRoleList DeleteRole
# tag: CreateTag GetTags DeleteTag AddResourceTag GetResources DeleteResourceTag DescribeResourceTagsByResourceIds AddProject UpdateProject DescribeProjects DescribeTagKeys

resource "tencentcloud_cam_role" "runner" {
  name = "tagged-elsewhere"

  document = jsonencode({
    version   = "2.0"
    statement = [{ effect = "allow", action = ["name/sts:AssumeRole"], principal = { service = ["cvm.qcloud.com"] } }]
  })

  lifecycle {
    ignore_changes = [tags]
  }
}

resource "tencentcloud_tag" "team" {
  tag_key   = "team"
  tag_value = "one"
}

resource "tencentcloud_tag_attachment" "team" {
  tag_key   = tencentcloud_tag.team.tag_key
  tag_value = tencentcloud_tag.team.tag_value
  resource  = "qcs::cam::uin/:role/${tencentcloud_cam_role.runner.id}"
}

resource "tencentcloud_project" "apollo" {
  project_name = "apollo"
  info         = "declared"
}

data "tencentcloud_projects" "all" {
  all_list = 1
}
