# kms: CreateKey DescribeKey EnableKeyRotation DisableKeyRotation EnableKey DisableKey ScheduleKeyDeletion
# tag: ModifyResourceTags DescribeResourceTagsByResourceIds

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_kms_key" "data" {
  alias                         = "data"
  description                   = "what the database is sealed with"
  is_enabled                    = true
  key_rotation_enabled          = var.step == 1
  pending_delete_window_in_days = 7

  tags = var.step == 1 ? { owner = "team", stage = "test" } : { owner = "others" }
}

resource "tencentcloud_kms_key" "off" {
  alias      = "off"
  is_enabled = var.step == 2
}

output "keys" {
  value = [tencentcloud_kms_key.data.id, tencentcloud_kms_key.off.id]
}
