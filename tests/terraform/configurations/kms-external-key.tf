# kms: CreateKey DescribeKey GetParametersForImport ImportKeyMaterial EnableKey DisableKey ScheduleKeyDeletion
# tag: DescribeResourceTagsByResourceIds

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_kms_external_key" "brought" {
  alias               = "brought"
  description         = "material of our own"
  wrapping_algorithm  = "RSAES_OAEP_SHA_256"
  key_material_base64 = base64encode("sixteen bytes 16")
  valid_to            = var.step == 1 ? 0 : 2145888000
  is_enabled          = true
}

output "state" {
  value = tencentcloud_kms_external_key.brought.key_state
}
