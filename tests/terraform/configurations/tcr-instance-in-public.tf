# tcr: CreateInstance DescribeInstances ManageExternalEndpoint DescribeExternalEndpointStatus CreateMultipleSecurityPolicy DeleteMultipleSecurityPolicy DescribeSecurityPolicies DescribeReplicationInstances DescribeNamespaces DeleteInstance
# tag: ModifyResourceTags

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_tcr_instance" "open" {
  name                  = "open"
  instance_type         = "standard"
  open_public_operation = true
  delete_bucket         = true

  security_policy {
    cidr_block  = var.step == 1 ? "192.0.2.0/24" : "198.51.100.0/24"
    description = "the office"
  }

  tags = {
    step = tostring(var.step)
  }
}

output "public" {
  value = tencentcloud_tcr_instance.open.public_status
}
