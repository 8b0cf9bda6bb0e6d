# tcr: DescribeInstances CreateNamespace DescribeNamespaces DeleteNamespace CreateImmutableTagRules DescribeImmutableTagRules ModifyImmutableTagRules DeleteImmutableTagRules
# tag: ModifyResourceTags DescribeResourceTagsByResourceIds

variable "step" {
  type    = number
  default = 1
}

data "tencentcloud_tcr_instances" "demo" {
  name = "demo"
}

resource "tencentcloud_tcr_namespace" "library" {
  instance_id = data.tencentcloud_tcr_instances.demo.instance_list[0].id
  name        = "library"
}

resource "tencentcloud_tcr_immutable_tag_rule" "releases" {
  registry_id    = tencentcloud_tcr_namespace.library.instance_id
  namespace_name = tencentcloud_tcr_namespace.library.name

  rule {
    repository_pattern    = "**"
    tag_pattern           = "v${var.step}*"
    repository_decoration = "repoMatches"
    tag_decoration        = "matches"
    disabled              = false
  }

  tags = {
    step = tostring(var.step)
  }
}
