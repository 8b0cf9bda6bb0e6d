# tcr: DescribeInstances CreateNamespace DescribeNamespaces DeleteNamespace CreateTagRetentionRule DescribeTagRetentionRules ModifyTagRetentionRule DeleteTagRetentionRule CreateImmutableTagRules DescribeImmutableTagRules ModifyImmutableTagRules DeleteImmutableTagRules CreateWebhookTrigger DescribeWebhookTrigger ModifyWebhookTrigger DeleteWebhookTrigger CreateServiceAccount DescribeServiceAccounts ModifyServiceAccount DeleteServiceAccount
# tag: DescribeResourceTagsByResourceIds

variable "step" {
  type    = number
  default = 1
}

data "tencentcloud_tcr_instances" "demo" {
  name = "demo"
}

locals {
  instance = data.tencentcloud_tcr_instances.demo.instance_list[0].id
}

resource "tencentcloud_tcr_namespace" "library" {
  instance_id = local.instance
  name        = "library"
}

resource "tencentcloud_tcr_tag_retention_rule" "newest" {
  registry_id    = local.instance
  namespace_name = tencentcloud_tcr_namespace.library.name
  cron_setting   = "daily"

  retention_rule {
    key   = "latestPushedK"
    value = var.step
  }
}

resource "tencentcloud_tcr_immutable_tag_rule" "releases" {
  registry_id    = local.instance
  namespace_name = tencentcloud_tcr_namespace.library.name

  rule {
    repository_pattern    = "**"
    tag_pattern           = "v${var.step}*"
    repository_decoration = "repoMatches"
    tag_decoration        = "matches"
  }
}

resource "tencentcloud_tcr_webhook_trigger" "pushes" {
  registry_id = local.instance
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
}

resource "tencentcloud_tcr_service_account" "deployer" {
  registry_id = local.instance
  name        = "deployer"
  description = "step ${var.step}"
  duration    = 10
  disable     = false

  permissions {
    resource = tencentcloud_tcr_namespace.library.name
    actions  = ["tcr:PullRepository"]
  }
}
