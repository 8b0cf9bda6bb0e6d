# kms: CreateKey DescribeKey UpdateKeyDescription UpdateAlias EnableKey DisableKey ScheduleKeyDeletion GetPublicKey
# tag: DescribeResourceTagsByResourceIds

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_kms_key" "signer" {
  alias       = "releases-${var.step}"
  description = "step ${var.step}"
  key_usage   = "ASYMMETRIC_SIGN_VERIFY_RSA_2048"
  is_enabled  = true
}

data "tencentcloud_kms_public_key" "signer" {
  key_id = tencentcloud_kms_key.signer.id
}

output "state" {
  value = tencentcloud_kms_key.signer.key_state
}
