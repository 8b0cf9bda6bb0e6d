# kms: CreateKey GetParametersForImport DescribeKey ScheduleKeyDeletion
# tag: DescribeResourceTagsByResourceIds

resource "tencentcloud_kms_external_key" "brought" {
  alias       = "parameters"
  description = "material comes later"
}

data "tencentcloud_kms_get_parameters_for_import" "brought" {
  key_id             = tencentcloud_kms_external_key.brought.id
  wrapping_algorithm = "RSAES_OAEP_SHA_256"
  wrapping_key_spec  = "RSA_2048"
}
