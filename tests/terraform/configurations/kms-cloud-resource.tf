# kms: ListKeyDetail BindCloudResource DescribeKey UnbindCloudResource

data "tencentcloud_kms_keys" "signers" {
  search_key_alias = "signer"
  key_usage        = "ALL"
}

resource "tencentcloud_kms_cloud_resource_attachment" "database" {
  key_id      = data.tencentcloud_kms_keys.signers.key_list[0].key_id
  product_id  = "mysql"
  resource_id = "cdb-00000001"
}
