# tag: CreateTag GetTags DeleteTag

resource "tencentcloud_tag" "stage" {
  tag_key   = "stage"
  tag_value = "test"
}
