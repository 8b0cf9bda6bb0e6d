# kms: CreateKey DescribeKey GetParametersForImport ImportKeyMaterial DeleteImportedKeyMaterial EnableKey DisableKey ScheduleKeyDeletion
# tag: DescribeResourceTagsByResourceIds

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_kms_external_key" "brought" {
  alias               = "brought"
  description         = "material of our own"
  wrapping_algorithm  = "RSAES_OAEP_SHA_256"
  key_material_base64 = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
  valid_to            = var.step == 1 ? 0 : 4102444800
  is_enabled          = true
}

output "state" {
  value = tencentcloud_kms_external_key.brought.key_state
}
