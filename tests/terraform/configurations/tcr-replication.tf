# tcr: CreateInstance CreateNamespace DescribeExternalEndpointStatus DescribeInstances DescribeNamespaces DescribeReplicationInstances DescribeReplicationPolicies DescribeSecurityPolicies DeleteInstance DeleteNamespace DeleteReplicationRule ManageReplication

data "tencentcloud_tcr_instances" "demo" {
  name = "demo"
}

resource "tencentcloud_tcr_instance" "copy" {
  name          = "copy"
  instance_type = "standard"
  delete_bucket = true
}

resource "tencentcloud_tcr_namespace" "here" {
  instance_id = data.tencentcloud_tcr_instances.demo.instance_list[0].id
  name        = "here"
}

resource "tencentcloud_tcr_namespace" "there" {
  instance_id = tencentcloud_tcr_instance.copy.id
  name        = "there"
}

resource "tencentcloud_tcr_replication" "here" {
  source_registry_id      = tencentcloud_tcr_namespace.here.instance_id
  destination_registry_id = tencentcloud_tcr_namespace.there.instance_id
  description             = "what is shipped"

  rule {
    name           = "shipped"
    dest_namespace = tencentcloud_tcr_namespace.there.name
    override       = true

    filters {
      type  = "name"
      value = "here/**"
    }
  }
}
