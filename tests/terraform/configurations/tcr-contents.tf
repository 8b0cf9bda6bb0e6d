# tcr: DescribeInstances CreateNamespace DescribeNamespaces ModifyNamespace DeleteNamespace CreateRepository DescribeRepositories ModifyRepository DeleteRepository CreateInstanceToken DescribeInstanceToken ModifyInstanceToken DeleteInstanceToken

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
  instance_id    = local.instance
  name           = "library"
  is_public      = var.step == 2
  is_auto_scan   = var.step == 2
  is_prevent_vul = true
  severity       = var.step == 1 ? "medium" : "high"

  cve_whitelist_items {
    cve_id = "CVE-2024-0001"
  }
}

resource "tencentcloud_tcr_repository" "app" {
  instance_id    = local.instance
  namespace_name = tencentcloud_tcr_namespace.library.name
  name           = "team/app"
  brief_desc     = "step ${var.step}"
  description    = "what the team ships, as of step ${var.step}"
}

resource "tencentcloud_tcr_token" "ci" {
  instance_id = local.instance
  description = "continuous integration"
  enable      = var.step == 1
}

resource "tencentcloud_tcr_token" "off" {
  instance_id = local.instance
  description = "disabled from its start"
  enable      = false
}

data "tencentcloud_tcr_namespaces" "library" {
  instance_id    = local.instance
  namespace_name = tencentcloud_tcr_namespace.library.name
}

data "tencentcloud_tcr_repositories" "app" {
  instance_id     = local.instance
  namespace_name  = tencentcloud_tcr_namespace.library.name
  repository_name = tencentcloud_tcr_repository.app.name
}

data "tencentcloud_tcr_tokens" "ci" {
  instance_id = local.instance
  token_id    = tencentcloud_tcr_token.ci.token_id
}

output "status" {
  value = data.tencentcloud_tcr_instances.demo.instance_list[0].status
}

output "namespaces" {
  value = data.tencentcloud_tcr_namespaces.library.namespace_list[*].name
}

output "url" {
  value = tencentcloud_tcr_repository.app.url
}

output "repositories" {
  value = data.tencentcloud_tcr_repositories.app.repository_list[*].brief_desc
}

output "enabled" {
  value = data.tencentcloud_tcr_tokens.ci.token_list[*].enable
}

output "user_name" {
  value = tencentcloud_tcr_token.ci.user_name
}

output "token" {
  value     = tencentcloud_tcr_token.ci.token
  sensitive = true
}
