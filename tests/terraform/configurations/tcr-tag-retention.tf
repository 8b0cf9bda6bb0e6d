# tcr: DescribeInstances CreateNamespace DescribeNamespaces DeleteNamespace CreateTagRetentionRule DescribeTagRetentionRules ModifyTagRetentionRule DeleteTagRetentionRule CreateTagRetentionExecution DescribeTagRetentionExecution DescribeTagRetentionExecutionTask

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

resource "tencentcloud_tcr_namespace" "other" {
  instance_id = data.tencentcloud_tcr_instances.demo.instance_list[0].id
  name        = "other"
}

resource "tencentcloud_tcr_tag_retention_rule" "newest" {
  registry_id    = tencentcloud_tcr_namespace.library.instance_id
  namespace_name = tencentcloud_tcr_namespace.library.name
  cron_setting   = "daily"

  retention_rule {
    key   = "latestPushedK"
    value = var.step
  }
}

resource "tencentcloud_tcr_tag_retention_rule" "by_hand" {
  registry_id    = tencentcloud_tcr_namespace.other.instance_id
  namespace_name = tencentcloud_tcr_namespace.other.name
  cron_setting   = "manual"

  advanced_rule_items {
    retention_policy {
      key   = "nDaysSinceLastPush"
      value = 30
    }

    tag_filter {
      decoration = "matches"
      pattern    = "v*"
    }

    repository_filter {
      decoration = "repoMatches"
      pattern    = "**"
    }
  }
}

resource "tencentcloud_tcr_tag_retention_execution_config" "now" {
  registry_id  = tencentcloud_tcr_tag_retention_rule.by_hand.registry_id
  retention_id = tencentcloud_tcr_tag_retention_rule.by_hand.retention_id
  dry_run      = true
}

data "tencentcloud_tcr_tag_retention_executions" "all" {
  registry_id  = tencentcloud_tcr_tag_retention_execution_config.now.registry_id
  retention_id = tencentcloud_tcr_tag_retention_execution_config.now.retention_id
}

data "tencentcloud_tcr_tag_retention_execution_tasks" "all" {
  registry_id  = tencentcloud_tcr_tag_retention_execution_config.now.registry_id
  retention_id = tencentcloud_tcr_tag_retention_execution_config.now.retention_id
  execution_id = data.tencentcloud_tcr_tag_retention_executions.all.retention_execution_list[0].execution_id
}
