# tcr: DescribeInstances CreateSignature DeleteImage

data "tencentcloud_tcr_instances" "demo" {
  name = "demo"
}

resource "tencentcloud_tcr_create_image_signature_operation" "app" {
  registry_id     = data.tencentcloud_tcr_instances.demo.instance_list[0].id
  namespace_name  = "shipped"
  repository_name = "app"
  image_version   = "1"
}

resource "tencentcloud_tcr_delete_image_operation" "app" {
  registry_id     = data.tencentcloud_tcr_instances.demo.instance_list[0].id
  namespace_name  = "shipped"
  repository_name = "app"
  image_version   = "1"

  depends_on = [tencentcloud_tcr_create_image_signature_operation.app]
}
