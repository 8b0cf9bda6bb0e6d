# cam: AddUser GetUser DeleteUser
# tag: CreateTag AddResourceTag GetResources GetTags DescribeResourceTagsByResourceIds DescribeTagKeys DeleteResourceTag DeleteTag

resource "tencentcloud_tag" "stage" {
  tag_key   = "stage"
  tag_value = "live"
}

resource "tencentcloud_cam_user" "tagged" {
  name         = "tagged"
  use_api      = true
  force_delete = true

  lifecycle {
    ignore_changes = [tags]
  }
}

resource "tencentcloud_tag_attachment_v2" "stage" {
  tag_key   = tencentcloud_tag.stage.tag_key
  tag_value = tencentcloud_tag.stage.tag_value
  resource  = "qcs::cam::uin/:uin/${tencentcloud_cam_user.tagged.uin}"
}

data "tencentcloud_tag_keys" "all" {
  depends_on = [tencentcloud_tag.stage]
}
