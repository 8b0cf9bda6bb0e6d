# tcr: DescribeInstances DescribeImages DescribeImageManifests

data "tencentcloud_tcr_instances" "demo" {
  name = "demo"
}

data "tencentcloud_tcr_images" "app" {
  registry_id     = data.tencentcloud_tcr_instances.demo.instance_list[0].id
  namespace_name  = "shipped"
  repository_name = "app"
}

data "tencentcloud_tcr_image_manifests" "app" {
  registry_id     = data.tencentcloud_tcr_instances.demo.instance_list[0].id
  namespace_name  = "shipped"
  repository_name = "app"
  image_version   = data.tencentcloud_tcr_images.app.image_info_list[0].image_version
}

output "digest" {
  value = data.tencentcloud_tcr_images.app.image_info_list[0].digest
}

output "manifest" {
  value = data.tencentcloud_tcr_image_manifests.app.manifest
}
