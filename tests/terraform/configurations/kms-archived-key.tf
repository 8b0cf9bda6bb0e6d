# kms: CreateKey DescribeKey ArchiveKey ScheduleKeyDeletion
# tag: DescribeResourceTagsByResourceIds

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_kms_key" "archived" {
  alias       = "archived"
  is_enabled  = var.step == 1 ? true : null
  is_archived = var.step == 2 ? true : null
}
