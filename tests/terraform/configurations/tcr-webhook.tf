# tcr: DescribeInstances CreateNamespace DescribeNamespaces DeleteNamespace CreateWebhookTrigger DescribeWebhookTrigger ModifyWebhookTrigger DeleteWebhookTrigger
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

resource "tencentcloud_tcr_webhook_trigger" "pushes" {
  registry_id = tencentcloud_tcr_namespace.library.instance_id
  namespace   = tencentcloud_tcr_namespace.library.name

  trigger {
    name        = "pushes"
    condition   = ".*"
    enabled     = var.step == 1
    event_types = ["pushImage"]
    description = "tells the deployer"

    targets {
      address = "http://127.0.0.1:9/hook"

      headers {
        key    = "X-Hook"
        values = ["1"]
      }
    }
  }

  tags = {
    step = tostring(var.step)
  }
}
