# kms: ListKeys DescribeKeys ListAlgorithms GetServiceStatus

data "tencentcloud_kms_list_keys" "all" {}

data "tencentcloud_kms_describe_keys" "all" {
  key_ids = data.tencentcloud_kms_list_keys.all.keys[*].key_id
}

data "tencentcloud_kms_list_algorithms" "all" {}

data "tencentcloud_kms_service_status" "now" {}

output "enabled" {
  value = data.tencentcloud_kms_service_status.now.service_enabled
}
