# mariadb: CreateHourDBInstance InitDBInstances DescribeDBInstances DescribeDBInstanceDetail DescribeDBParameters ModifyDBParameters ModifyDBInstanceName DescribeFlow DestroyHourDBInstance CreateAccount DescribeAccounts ModifyAccountDescription DeleteAccount ModifyAccountPrivileges DescribeAccountPrivileges ModifyLogFileRetentionPeriod DescribeLogFileRetentionPeriod AssociateSecurityGroups DescribeDBSecurityGroups DisassociateSecurityGroups DescribeDatabases DescribeSaleInfo OpenDBExtranetAccess ModifyRealServerAccessStrategy ModifyDBEncryptAttributes DescribeDBEncryptAttributes DescribeProjectSecurityGroups
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

# A flow holds an instance, and the provider does not wait for one that it has not begun itself.
resource "tencentcloud_mariadb_instance_config" "shop" {
  instance_id        = tencentcloud_mariadb_hour_db_instance.shop.id
  rs_access_strategy = var.step - 1
  extranet_access    = 1
  depends_on = [
    tencentcloud_mariadb_account_privileges.app, tencentcloud_mariadb_log_file_retention_period.shop,
    tencentcloud_mariadb_security_groups.shop, tencentcloud_mariadb_parameters.shop,
  ]
}

resource "tencentcloud_mariadb_encrypt_attributes" "shop" {
  instance_id     = tencentcloud_mariadb_instance_config.shop.id
  encrypt_enabled = 1
}

data "tencentcloud_mariadb_project_security_groups" "shop" {
  product    = "mariadb"
  project_id = 0
}
