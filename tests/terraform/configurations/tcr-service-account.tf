# tcr: DescribeInstances CreateNamespace DescribeNamespaces DeleteNamespace CreateServiceAccount DescribeServiceAccounts ModifyServiceAccount DeleteServiceAccount
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

resource "tencentcloud_tcr_service_account" "deployer" {
  registry_id = tencentcloud_tcr_namespace.library.instance_id
  name        = "deployer"
  description = "step ${var.step}"
  duration    = 10
  disable     = false

  permissions {
    resource = tencentcloud_tcr_namespace.library.name
    actions  = ["tcr:PullRepository"]
  }

  tags = {
    step = tostring(var.step)
  }
}
