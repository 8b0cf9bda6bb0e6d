# mariadb: CreateHourDBInstance InitDBInstances DescribeDBInstances DescribeDBInstanceDetail DescribeDBParameters DescribeFlow DestroyHourDBInstance ModifyBackupTime DescribeBackupTime DescribeDBLogFiles DescribeFileDownloadUrl
# tag: DescribeResourceTagsByResourceIds

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_mariadb_hour_db_instance" "kept" {
  instance_name = "kept"
  db_version_id = "10.1"
  memory        = 2
  node_count    = 2
  storage       = 20
  zones         = ["ap-guangzhou-3", "ap-guangzhou-4"]
}

resource "tencentcloud_mariadb_backup_time" "kept" {
  instance_id       = tencentcloud_mariadb_hour_db_instance.kept.id
  start_backup_time = "0${var.step}:00"
  end_backup_time   = "04:00"
}

data "tencentcloud_mariadb_log_files" "errors" {
  instance_id = tencentcloud_mariadb_hour_db_instance.kept.id
  type        = 3
}

data "tencentcloud_mariadb_file_download_url" "errors" {
  instance_id = tencentcloud_mariadb_hour_db_instance.kept.id
  file_path   = split("?", data.tencentcloud_mariadb_log_files.errors.files[0].uri)[0]
}
