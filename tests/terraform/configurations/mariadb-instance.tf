# mariadb: CreateHourDBInstance InitDBInstances DescribeDBInstances DescribeDBInstanceDetail DescribeDBParameters ModifyDBParameters ModifyDBInstanceName DescribeFlow DestroyHourDBInstance CreateAccount DescribeAccounts ModifyAccountDescription DeleteAccount ModifyAccountPrivileges DescribeAccountPrivileges ModifyLogFileRetentionPeriod DescribeLogFileRetentionPeriod AssociateSecurityGroups DescribeDBSecurityGroups DisassociateSecurityGroups DescribeDatabases DescribeSaleInfo
# tag: ModifyResourceTags DescribeResourceTagsByResourceIds

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_mariadb_hour_db_instance" "shop" {
  instance_name = "shop-${var.step}"
  db_version_id = "10.1"
  memory        = 2
  node_count    = 2
  storage       = 20
  zones         = ["ap-guangzhou-3", "ap-guangzhou-4"]
  tags = {
    team = "blue"
  }
}

resource "tencentcloud_mariadb_account" "app" {
  instance_id = tencentcloud_mariadb_hour_db_instance.shop.id
  user_name   = "app"
  host        = "%"
  password    = "Correct-Horse-7"
  read_only   = 0
  description = "step ${var.step}"
}

resource "tencentcloud_mariadb_account_privileges" "app" {
  instance_id = tencentcloud_mariadb_hour_db_instance.shop.id
  accounts {
    user = tencentcloud_mariadb_account.app.user_name
    host = tencentcloud_mariadb_account.app.host
  }
  global_privileges = ["SELECT", "INSERT"]
}

resource "tencentcloud_mariadb_log_file_retention_period" "shop" {
  instance_id = tencentcloud_mariadb_hour_db_instance.shop.id
  days        = 7 + var.step
}

resource "tencentcloud_mariadb_security_groups" "shop" {
  instance_id       = tencentcloud_mariadb_hour_db_instance.shop.id
  security_group_id = "sg-abcd1234"
  product           = "mariadb"
}

resource "tencentcloud_mariadb_parameters" "shop" {
  instance_id = tencentcloud_mariadb_hour_db_instance.shop.id
  params {
    param = "max_connections"
    value = tostring(100 + var.step)
  }
}

data "tencentcloud_mariadb_databases" "shop" {
  instance_id = tencentcloud_mariadb_hour_db_instance.shop.id
}

data "tencentcloud_mariadb_sale_info" "all" {
}
