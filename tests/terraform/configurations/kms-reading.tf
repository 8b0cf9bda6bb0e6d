# kms: ListKeyDetail ListKeys GetPublicKey

data "tencentcloud_kms_keys" "signers" {
  search_key_alias = "signer"
  key_usage        = "ALL"
}

data "tencentcloud_kms_list_keys" "all" {}

data "tencentcloud_kms_public_key" "signer" {
  key_id = data.tencentcloud_kms_keys.signers.key_list[0].key_id
}

output "state" {
  value = data.tencentcloud_kms_keys.signers.key_list[0].key_state
}

output "listed" {
  value = contains(data.tencentcloud_kms_list_keys.all.keys[*].key_id, data.tencentcloud_kms_public_key.signer.key_id)
}

output "pem" {
  value = data.tencentcloud_kms_public_key.signer.public_key_pem
}
