# mariadb: CreateHourDBInstance CreateDBInstance InitDBInstances DescribeDBInstances DescribeDBInstanceDetail DescribeDBParameters ModifyDBInstanceName DescribeFlow DescribeOrders DestroyHourDBInstance IsolateDBInstance DestroyDBInstance DescribeDcnDetail SwitchDBInstanceHA RestartDBInstances DescribeInstanceNodeInfo
# tag: ModifyResourceTags DescribeResourceTagsByResourceIds

# `tencentcloud_mariadb_cancel_dcn_job` is not here: the provider cancels, forgets the id, and calls that an inconsistent result.

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_mariadb_hour_db_instance" "source" {
  instance_name = "source-${var.step}"
  memory        = 2
  node_count    = 2
  storage       = 20
  zones         = ["ap-guangzhou-3", "ap-guangzhou-3"]
}

resource "tencentcloud_mariadb_restart_instance" "source" {
  instance_id = tencentcloud_mariadb_hour_db_instance.source.id
}

resource "tencentcloud_mariadb_switch_ha" "source" {
  instance_id = tencentcloud_mariadb_restart_instance.source.instance_id
  zone        = "ap-guangzhou-3"
}

data "tencentcloud_mariadb_instance_node_info" "source" {
  instance_id = tencentcloud_mariadb_switch_ha.source.instance_id
}

resource "tencentcloud_mariadb_instance" "recovery" {
  instance_name   = "recovery-${var.step}"
  zones           = ["ap-guangzhou-6"]
  node_count      = 1
  memory          = 2
  storage         = 20
  period          = 1
  dcn_region      = "ap-guangzhou"
  dcn_instance_id = tencentcloud_mariadb_switch_ha.source.instance_id
}

data "tencentcloud_mariadb_dcn_detail" "recovery" {
  instance_id = tencentcloud_mariadb_instance.recovery.id
  depends_on  = [tencentcloud_mariadb_instance.recovery]
}
