# kms: CreateKey DisableKey DescribeKey ArchiveKey CancelKeyArchive EnableKey ScheduleKeyDeletion
# tag: DescribeResourceTagsByResourceIds

resource "tencentcloud_kms_key" "archived" {
  alias       = "archived"
  is_archived = true
}
