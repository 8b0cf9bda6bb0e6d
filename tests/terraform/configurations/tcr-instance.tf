# tcr: CreateInstance DescribeInstances DescribeExternalEndpointStatus DescribeSecurityPolicies DescribeReplicationInstances ModifyInstance CreateNamespace DescribeNamespaces DeleteNamespace DeleteInstance

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_tcr_instance" "made" {
  name                = "made"
  instance_type       = var.step == 1 ? "basic" : "premium"
  deletion_protection = false
  delete_bucket       = true
}

resource "tencentcloud_tcr_namespace" "library" {
  instance_id = tencentcloud_tcr_instance.made.id
  name        = "library"
}

output "status" {
  value = tencentcloud_tcr_instance.made.status
}

output "domain" {
  value = tencentcloud_tcr_instance.made.public_domain
}
